/** `range('FA', 1, 19)`: FA-01 … FA-19. */
function range(prefix: string, first: number, last: number, digits = 2): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => `${prefix}-${String(first + i).padStart(digits, '0')}`)
}

const badInput = [
  ...range('EV', 1, 11, 3),
  ...range('EV', 20, 23, 3),
  ...range('EV', 25, 26, 3),
  ...range('EV', 44, 46, 3),
  'EV-048',
  ...range('EV', 50, 57, 3),
  'EV-086',
  ...range('EV', 88, 89, 3),
  ...range('EV', 100, 112, 3),
  'EV-116',
  'EV-121',
  ...range('EV', 125, 126, 3),
  ...range('EV', 117, 120, 3),
  'EV-144',
  ...range('EV', 141, 143, 3),
  ...range('EV', 152, 154, 3),
  'EV-156',
  ...range('EV', 160, 161, 3),
  ...range('EV', 180, 185, 3),
  'EV-192',
  'EV-194',
  ...range('EV', 196, 197, 3),
  ...range('EV', 198, 200, 3),
]

/** What libcontainer and nsinit were to their users, row by row: each has a test whose name begins with its id. */
export const rows: readonly string[] = [
  ...range('D', 1, 13),
  ...range('FA', 1, 19),
  ...range('CO', 1, 28),
  ...range('ST', 1, 18),
  ...range('ER', 1, 15),
  ...range('PR', 1, 20),
  ...range('IN', 1, 19),
  ...range('HK', 1, 11),
  ...range('VAL', 1, 8),
  ...range('VAL', 20, 32),
  ...range('US', 1, 7),
  ...range('UT', 1, 14),
  ...range('MP', 1, 4),
  ...range('CN', 1, 17),
  ...range('OC', 1, 17),
  ...range('OL', 1, 10),
  ...range('OL', 18, 22),
  'OL-24',
  'XT-01',
  'XT-02',
  ...range('CL', 1, 7),
  ...range('CL', 10, 28),
  ...range('SA', 1, 9),
  'TS-01',
  'TS-02',
  'TS-04',
  'TS-05',
  ...badInput,
]

/** The rows without a test, and who owns them: the part of the roadmap that they belong to. */
export const withoutTest: ReadonlyMap<string, string> = new Map([
  ['D-11', 'says how rows are read: the mechanism of others is not theirs to bind'],
  ['CO-21', 'criu: checkpoint and restore'],
  ['CO-22', 'criu: checkpoint and restore'],
  ['VAL-02', 'network: networks and routes, refused by name until then'],
  ['VAL-03', 'netlink: interfaces moved in, refused by name until then'],
  ['VAL-06', 'selinux: labels, refused by name until then'],
  ['VAL-21', 'intelrdt'],
  ['VAL-24', 'mount: id-mapped mounts, refused by name until then'],
  ['EV-025', 'mount: a root that is moved instead of pivoted'],
  ['EV-156', 'lcrun: a container without devices of its own'],
  ['IN-17', 'mount: id-mapped mounts, whose sources somebody outside opens'],
  ['TS-05', 'mount: the suite of races'],
])
