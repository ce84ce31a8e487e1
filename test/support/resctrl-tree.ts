import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.js'

/** The files of a machine with two L3 caches of eleven ways, by their paths below resctrl, as Documentation/filesystems/resctrl.rst has them. */
const shape: Readonly<Record<string, string>> = {
  schemata: '    MB:0=100;1=100\n    L3:0=7ff;1=7ff\n',
  tasks: '1\n2\n',
  cpus: 'f\n',
  mode: 'shareable\n',
  'mon_groups/.keep': '',
  'mon_data/mon_L3_00/llc_occupancy': '1048576\n',
  'mon_data/mon_L3_00/mbm_total_bytes': '123456789\n',
  'mon_data/mon_L3_00/mbm_local_bytes': '123450000\n',
  'mon_data/mon_L3_01/llc_occupancy': '0\n',
  'mon_data/mon_L3_01/mbm_total_bytes': 'Unavailable\n',
  'mon_data/mon_L3_01/mbm_local_bytes': 'Unassigned\n',
  'info/last_cmd_status': 'ok\n',
  'info/L3/cbm_mask': '7ff\n',
  'info/L3/min_cbm_bits': '2\n',
  'info/L3/num_closids': '16\n',
  'info/L3/shareable_bits': '600\n',
  'info/L3/sparse_masks': '0\n',
  'info/L3/bit_usage': '0=XXSSSSSSSSS;1=XXSSSSSSSSS\n',
  'info/MB/bandwidth_gran': '10\n',
  'info/MB/delay_linear': '1\n',
  'info/MB/min_bandwidth': '10\n',
  'info/MB/num_closids': '8\n',
  'info/L3_MON/num_rmids': '176\n',
  'info/L3_MON/max_threshold_occupancy': '163840\n',
  'info/L3_MON/mon_features': 'llc_occupancy\nmbm_total_bytes\nmbm_total_bytes_config\nmbm_local_bytes\n',
}

/**
 * A tree in the shape that the kernel documents for resctrl, of which no machine of these tests has one: `anyFilesystem` takes it for one.
 *
 * @param changes - other contents, `undefined` for a file that is not there
 */
export function resctrlTree(changes: Readonly<Record<string, string | undefined>> = {}): TemporaryDirectory {
  const directory = temporaryDirectory('resctrl-')
  addFiles(directory.path, { ...shape, ...changes })
  return directory
}

/** A group in such a tree, with the files that the kernel makes with it. */
export function addGroup(root: string, name: string, schemata: string): void {
  addFiles(`${root}/${name}`, { schemata, tasks: '', 'mon_groups/.keep': '' })
}

function addFiles(root: string, files: Readonly<Record<string, string | undefined>>): void {
  for (const [path, text] of Object.entries(files)) {
    if (text === undefined) continue
    mkdirSync(dirname(`${root}/${path}`), { recursive: true })
    writeFileSync(`${root}/${path}`, text)
  }
}
