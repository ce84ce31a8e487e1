import { explainDenial as explainAppArmor, parseDenial as parseAppArmor } from '../../packages/apparmor/src/denial.js'
import { explainDenial as explainSelinux, parseDenial as parseSelinux } from '../../packages/selinux/src/denial.js'
import { hold } from '../support/oracles.js'

/**
 * Lines of the kernel's log, which a confined program has had a part in by its name and paths: each is a denial of one security module at most, is told in a
 * sentence, and what stands around the record changes nothing.
 */
export function fuzz(data: Uint8Array): void {
  const line = new TextDecoder().decode(data)
  const selinux = parseSelinux(line)
  if (selinux !== undefined) {
    hold(
      selinux.permissions.length > 0 && selinux.permissions.every(word => /^\S+$/.test(word)),
      'permissions are words',
    )
    hold(explainSelinux(selinux).includes(selinux.permissions[0]!), 'the sentence names what was asked for')
    const again = parseSelinux(`[    1.5] audit: type=1400 audit(1.2:3): ${line}`)
    hold(JSON.stringify(again) === JSON.stringify(selinux), 'the head of a line counts for nothing')
  }
  const apparmor = parseAppArmor(line)
  if (apparmor === undefined) return
  hold(apparmor.verdict === 'DENIED' || apparmor.verdict === 'ALLOWED', 'a verdict is one of two')
  hold(explainAppArmor(apparmor).includes(apparmor.profile), 'the sentence names the profile')
}

export function seeds(): Uint8Array[] {
  return [
    'avc:  denied  { read open } for  pid=545 comm="cat" path="/srv/a" dev="vda" ino=4 scontext=system_u:system_r:container_t:s0:c1,c3 tcontext=system_u:object_r:container_file_t:s0:c1,c2 tclass=file permissive=0',
    'type=AVC msg=audit(1.2:3): avc:  denied  { signal } for pid=1 comm=612062 scontext=u:r:t:s0-s0:c0.c1023 tcontext=u:r:t:s0:c1 tclass=process permissive=1',
    'audit: type=1400 audit(1.2:3): apparmor="DENIED" operation="open" class="file" profile="box" name="/proc/sysrq-trigger" pid=12 comm="sh" requested_mask="wc" denied_mask="wc"',
    'apparmor="ALLOWED" operation="mount" profile=626F78 name="/tmp/" fstype="tmpfs" srcname="none" flags="rw, nosuid"',
    'apparmor="DENIED" operation="signal" profile="box" denied_mask="send" signal=term peer="unconfined"',
    'apparmor="DENIED" operation="capable" profile="box" capname="sys_admin"',
    'apparmor="DENIED" operation="create" profile="box" family="inet" sock_type="raw"',
  ].map(text => new TextEncoder().encode(text))
}
