// Boots a virtual machine, in software emulation, that runs one command as root and is gone afterwards.
import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { serveCompiler } from './compiler.mjs'

const top = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')
const cache = join(top, '.cache/vm')

export const choices = {
  disk: ['tests', 'worlds'],
  init: ['plain', 'systemd'],
  cgroup: ['v2', 'v1', 'hybrid'],
  lsm: ['none', 'apparmor', 'selinux', 'selinux-enforcing'],
}

/**
 * The kernel has found a processor that does not come on. The emulator now and then goes on to execute what the kernel has replaced in its own code (seen with
 * QEMU 7.2: a breakpoint of a key that was being switched, which was a `nop` again in memory), and the machine is stuck for good.
 */
export class LockedUp extends Error {}

/**
 * Runs a command in a machine of its own. The repository is there at its own path; what is written to it stays in the machine.
 *
 * @param {string[]} command
 * @param {object} options
 * @param {Record<string, string>} [options.environment] - variables for the command
 * @param {(text: string) => void} [options.stdout] - takes what the command prints
 * @param {(text: string) => void} [options.stderr]
 * @returns {Promise<number>} its exit status. 124: stopped after `seconds`
 * @throws {LockedUp}
 */
export async function boot(command, options = {}) {
  const { disk = 'tests', init = 'plain', cgroup = 'v2', lsm = 'none', environment = {}, seconds = 600 } = options
  for (const [name, value] of Object.entries({ disk, init, cgroup, lsm })) {
    if (!choices[name].includes(value)) throw new Error(`${name} must be of ${choices[name].join(', ')}: ${value}`)
  }
  if (!existsSync(join(cache, `${disk}.key`))) throw new Error(`no disk is there: run vm/prepare ${disk}`)

  const job = realpathSync(mkdtempSync(join(tmpdir(), 'libcontainer-vm-')))
  const remove = () => rmSync(job, { recursive: true, force: true })
  const ending = [remove]
  process.once('exit', remove)
  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => process.exit(130))
  try {
    cpSync(join(top, 'vm/guest'), join(job, 'guest'), { recursive: true })
    mkdirSync(join(job, 'compile'))
    // Ordinary users of the machine compile, too.
    chmodSync(job, 0o755)
    chmodSync(join(job, 'compile'), 0o1777)
    ending.push(serveCompiler(join(job, 'compile')))
    const shares = { tree: top, node: dirname(realpathSync(process.execPath)) }
    writeFileSync(join(job, 'shares'), `tree ${top}\nnode /opt/node\n`)
    const exports = Object.entries(environment).map(([name, value]) => `export ${quote([`${name}=${value}`])}\n`)
    writeFileSync(join(job, 'command'), `${exports.join('')}cd ${quote([top])} && exec ${quote(command)}\n`)

    for (const name of ['stdout', 'stderr']) {
      const port = receive(join(job, `${name}.socket`), options[name] ?? (text => process[name].write(text)))
      ending.push(port.close)
    }
    // However this process ends, the machine ends with it.
    const emulator = ['--pdeathsig', 'KILL', 'qemu-system-x86_64']
    const words = argumentsOf({ ...options, disk, init, cgroup, lsm, job, shares })
    const qemu = spawn('setpriv', [...emulator, ...words], {
      stdio: ['ignore', options.console ? 'inherit' : 'ignore', 'pipe'],
    })
    ending.push(() => qemu.kill('SIGKILL'))
    let said = ''
    qemu.stderr.on('data', chunk => {
      said += chunk
    })
    let late = false
    const timer = setTimeout(() => {
      late = true
      qemu.kill('SIGKILL')
    }, seconds * 1000)
    await new Promise((resolve, reject) => qemu.on('close', resolve).on('error', reject))
    clearTimeout(timer)

    const told = name => (existsSync(join(job, name)) ? readFileSync(join(job, name), 'utf8').trim() : '')
    if (told('status') !== '') return Number(told('status'))
    if (late) return 124
    const why = told('error') || said || told('console')
    const [locked] = /BUG: soft lockup.*\]/.exec(why) ?? []
    if (locked) throw new LockedUp(`the machine was stuck: ${locked}`)
    throw new Error(`the machine ended before its command: ${why.slice(-2000)}`)
  } finally {
    for (const end of ending.reverse()) end()
    process.off('exit', remove)
  }
}

/** What is written to a port of the machine, as text. */
function receive(path, take) {
  const server = createServer(socket => socket.setEncoding('utf8').on('data', take)).listen(path)
  return { close: () => server.close() }
}

const quote = words => words.map(word => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')

function argumentsOf({ disk, init, cgroup, lsm, job, shares, cpus = 2, memory = 2048, console, append = '' }) {
  const labels = { none: [], apparmor: ['apparmor'], selinux: ['selinux'], 'selinux-enforcing': ['selinux'] }[lsm]
  const kernel = [
    // Mitigations against speculative execution are dear in an emulator, and guard nothing.
    'console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off nokaslr no_timer_check tsc=reliable random.trust_cpu=on',
    // Measured by the guest on a busy machine, its clock could run ten times as fast as ours.
    `tsc_early_khz=${execFileSync(join(cache, 'tsc'), { encoding: 'utf8' }).trim()}`,
    'cryptomgr.notests rcupdate.rcu_expedited=1 root=/dev/vda rw',
    // A processor that is stuck for twice this many seconds ends the machine.
    'watchdog_thresh=30 softlockup_panic=1',
    `lsm=${['landlock', 'lockdown', 'yama', 'integrity', ...labels, 'bpf']}`,
    lsm === 'apparmor' ? 'apparmor=1' : '',
    lsm.startsWith('selinux') ? `selinux=1 enforcing=${lsm === 'selinux-enforcing' ? 1 : 0}` : '',
    // systemd mounts the cgroups itself.
    `systemd.unified_cgroup_hierarchy=${cgroup === 'v2' ? 1 : 0}`,
    `systemd.legacy_systemd_cgroup_controller=${cgroup === 'v1' ? 1 : 0}`,
    `vm_init=${init} vm_cgroup=${cgroup} vm_lsm=${lsm}`,
    append,
  ]
  const port = name => [
    ...['-chardev', `socket,id=${name},path=${job}/${name}.socket`],
    ...['-device', `virtserialport,chardev=${name},name=vm.${name}`],
  ]
  const share = (tag, path, mode) => [
    ...[
      '-fsdev',
      `local,id=${tag},path=${path.replaceAll(',', ',,')},security_model=passthrough,multidevs=remap${mode}`,
    ],
    ...['-device', `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  ]
  return [
    ...['-M', 'q35,smbus=off,sata=off,usb=off,hpet=off', '-accel', 'tcg,thread=multi', '-cpu', 'max'],
    ...['-smp', cpus, '-m', memory, '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...['-kernel', join(cache, 'vmlinux'), '-initrd', join(cache, 'initramfs.cpio'), '-append', kernel.join(' ')],
    ...['-drive', `file=${cache}/${disk}.ext4,format=raw,if=none,id=disk,snapshot=on,cache=unsafe,discard=unmap`],
    ...['-device', 'virtio-blk-pci,drive=disk', '-device', 'virtio-rng-pci', '-device', 'virtio-serial-pci'],
    ...(console ? ['-serial', 'stdio'] : ['-serial', `file:${job}/console`]),
    ...port('stdout'),
    ...port('stderr'),
    ...share('job', job, ''),
    ...Object.entries(shares).flatMap(([tag, path]) => share(tag, path, ',readonly=on')),
  ].map(String)
}
