import { type SystemdProperty, systemdProperties } from '@libcontainer/oci'
import { ConfigInvalid } from '@libcontainer/sys'

/** How the unit ends and in which order, and what all of it may use. */
const OWN =
  /^(?:(?:|Final|Watchdog)KillSignal|KillMode|SendSIG(?:HUP|KILL)|Timeout(?:Start|Stop)USec|RuntimeMaxUSec|RuntimeRandomizedExtraUSec|CollectMode|Description|Documentation|After|Before|(?:Startup)?(?:Allowed(?:CPUs|MemoryNodes)|(?:Default)?Memory\w+|CPU(?:Weight|Shares|Quota\w*|Accounting)|(?:Block)?IO(?:Weight|Accounting))|Tasks(?:Max|Accounting)|IPAccounting|ManagedOOM\w+|CoredumpReceive)$/

/**
 * What the annotations `org.systemd.property.<Name>` ask of a container's unit.
 *
 * Whoever writes a container's annotations is not always who may command the host: a property by which systemd would run something, stop other units
 * or the machine, or allow more devices, is refused.
 *
 * @throws {ConfigInvalid} for those, and for names and values that are none
 */
export function unitPropertiesOf(annotations: Readonly<Record<string, string>> = {}): SystemdProperty[] {
  return systemdProperties(annotations).map(property => {
    if (OWN.test(property.name)) return property
    throw new ConfigInvalid(
      `annotations['org.systemd.property.${property.name}']`,
      property.name,
      'may not be asked for by an annotation: it concerns more than how the unit ends and what it may use',
      { hint: 'leave it out, or set it for the slice that the container is in: systemctl edit SLICE' },
    )
  })
}
