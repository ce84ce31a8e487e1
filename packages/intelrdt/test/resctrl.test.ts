import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/support/index.js'
import { addGroup, resctrlTree } from '../../../test/support/resctrl-tree.js'
import { claimGroup, eventRdt, type GroupPlan, planGroup, probe, Resctrl, releaseGroup, statsOf } from '../src/index.js'
import { mountedAt } from '../src/mounted.js'

/* No kernel that these tests meet has resctrl. */
const open = async (root: string): Promise<Resctrl> => await Resctrl.open({ root, anyFilesystem: true })
const text = (path: string): string => readFileSync(path, 'utf8')

describe('detection', () => {
  test('RD-01 on a tree in the kernel’s shape: caches, bandwidth and counters by the files of info', async () => {
    using tree = resctrlTree()
    using resctrl = await open(tree.path)
    expect(await resctrl.info()).toEqual({
      caches: { L3: { numClosids: 16, cbmMask: 0x7ff, minCbmBits: 2, shareableBits: 0x600, sparseMasks: false } },
      bandwidth: { MB: { numClosids: 8, minBandwidth: 10, bandwidthGran: 10, delayLinear: true } },
      monitoring: {
        numRmids: 176,
        monFeatures: ['llc_occupancy', 'mbm_total_bytes', 'mbm_total_bytes_config', 'mbm_local_bytes'],
      },
    })
    expect(await probe({ root: tree.path, anyFilesystem: true })).toEqual({
      resctrl: { available: true, detail: tree.path },
      cat: { available: true, detail: 'L3' },
      mba: { available: true, detail: 'MB' },
      cmt: { available: true, detail: 'llc_occupancy' },
      mbm: { available: true, detail: 'mbm_total_bytes, mbm_local_bytes' },
    })
  })

  test('RD-01 on a tree in the kernel’s shape: code and data apart, a cache of level 2, nothing but monitoring', async () => {
    const none = { 'info/L3/cbm_mask': undefined, 'info/MB/min_bandwidth': undefined }
    const cdp = { 'info/L3CODE/cbm_mask': 'fffff\n', 'info/L3DATA/cbm_mask': 'fffff\n', 'info/L2/sparse_masks': '1\n' }
    using apart = resctrlTree({ ...none, ...cdp, 'info/L2/cbm_mask': 'ff\n' })
    using resctrl = await open(apart.path)
    const { caches } = await resctrl.info()
    expect(Object.keys(caches)).toEqual(['L2', 'L3CODE', 'L3DATA'])
    expect(caches.L2).toMatchObject({ cbmMask: 0xff, sparseMasks: true })
    using only = resctrlTree(none)
    expect(await probe({ root: only.path, anyFilesystem: true })).toMatchObject({
      cat: { available: false, reason: expect.stringContaining('no cache to share') },
      mba: { available: false },
      cmt: { available: true },
    })
  })

  test('RD-01 EV-161 what is no resctrl is none, whatever shape it has, nor what is mounted or linked in it', async () => {
    using tree = resctrlTree()
    const absent = expect.objectContaining({
      code: 'ERR_UNSUPPORTED',
      hint: expect.stringContaining('mount -t resctrl'),
    })
    await expect(Resctrl.open({ root: tree.path })).rejects.toEqual(absent)
    await expect(Resctrl.open({ root: `${tree.path}/nowhere` })).rejects.toEqual(absent)
    await expect(Resctrl.open({ root: 'relative' })).rejects.toEqual(expect.objectContaining({ field: 'root' }))
    expect(await probe({ root: tree.path })).toMatchObject({ resctrl: { available: false }, cat: { available: false } })
  })

  test('RD-01 where it is mounted, as mountinfo tells', () => {
    const lines = [
      '36 25 0:30 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw',
      '37 25 0:31 / /mnt/with\\040space rw,relatime shared:10 master:2 - resctrl resctrl rw,cdp,mba_MBps',
      // A bind of one group is not the whole.
      '38 25 0:31 /gold /mnt/gold rw - resctrl resctrl rw',
      '39 25 0:32 / /resctrl rw - tmpfs resctrl rw',
    ]
    expect(mountedAt(lines.join('\n'))).toBe('/mnt/with space')
    expect(mountedAt(`${lines.join('\n')}\n40 25 0:31 / /sys/fs/resctrl rw - resctrl none rw\n`)).toBe(
      '/sys/fs/resctrl',
    )
    expect(mountedAt(lines.filter(line => !line.startsWith('37')).join('\n'))).toBeUndefined()
    expect(mountedAt('')).toBeUndefined()
  })

  test('RD-01 without a word it is found where it is mounted, or the error says how to mount it', async () => {
    const mounted = mountedAt(text('/proc/self/mountinfo'))
    const found = await Resctrl.open().catch((error: unknown) => error)
    if (mounted !== undefined) expect(found).toMatchObject({ path: expect.any(String) })
    else
      expect(found).toMatchObject({
        code: 'ERR_UNSUPPORTED',
        message: 'resctrl is not mounted',
        hint: expect.any(String),
      })
  })

  test('on a tree in the kernel’s shape a link leads nowhere outside of it', async () => {
    using tree = resctrlTree()
    using outside = temporaryDirectory('outside-')
    writeFileSync(`${outside.path}/tasks`, 'untouched')
    symlinkSync(outside.path, `${tree.path}/evil`)
    using resctrl = await open(tree.path)
    await expect(resctrl.group('evil').add(1)).rejects.toThrow()
    expect(text(`${outside.path}/tasks`)).toBe('untouched')
    expect(await resctrl.groups()).toEqual([])
  })
})

describe('groups', () => {
  test('RD-02 RD-03 on a tree in the kernel’s shape: made, told what it has in one write, joined, listed, removed', async () => {
    using tree = resctrlTree()
    using resctrl = await open(tree.path)
    const gold = await resctrl.create('gold')
    expect(gold.path).toBe(`${tree.path}/gold`)
    await gold.setSchemata([
      { resource: 'L3', domains: { 0: 0x7f0 } },
      { resource: 'MB', domains: { 0: 20, 1: 70 } },
    ])
    expect(text(`${tree.path}/gold/schemata`)).toBe('L3:0=7f0\nMB:0=20;1=70\n')
    expect(await gold.schemata()).toHaveLength(2)
    await gold.add(process.pid)
    expect(await gold.tasks()).toEqual([process.pid])
    expect(await resctrl.groups()).toEqual(['gold'])
    expect([await gold.exists(), await resctrl.group('silver').exists()]).toEqual([true, false])
    await gold.remove()
    await gold.remove()
    expect(await resctrl.groups()).toEqual([])
    expect(await resctrl.group('/').tasks()).toEqual([1, 2])
    await expect(gold.schemata()).rejects.toMatchObject({ code: 'ENOENT', path: gold.path })
    await expect(gold.add(1)).rejects.toMatchObject({ code: 'ENOENT', path: `${gold.path}/tasks` })
  })

  test('RD-05 on a tree in the kernel’s shape: groups that only count, below a group or the root', async () => {
    using tree = resctrlTree()
    using resctrl = await open(tree.path)
    const gold = await resctrl.create('gold')
    const one = await gold.createMonGroup('one')
    const two = await resctrl.group('/').createMonGroup('two')
    expect([one.name, two.name]).toEqual(['gold/mon_groups/one', 'mon_groups/two'])
    expect(() => one.monGroup('deeper')).toThrow(expect.objectContaining({ code: 'ConfigInvalid' }))
    await expect(gold.createMonGroup('one')).rejects.toMatchObject({ code: 'EEXIST' })
    await one.remove()
    await two.remove()
    expect(readdirSync(`${tree.path}/gold/mon_groups`)).toEqual([])
  })

  test('EV-161 names that are none, tasks that are none, and the root is not removed', async () => {
    using tree = resctrlTree()
    using resctrl = await open(tree.path)
    for (const name of ['', '.', '..', 'a/b', 'info', 'a\nb'])
      await expect(resctrl.create(name)).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'name' })
    for (const pid of [0, -1, 1.5]) await expect(resctrl.group('/').add(pid)).rejects.toMatchObject({ field: 'pid' })
    await expect(resctrl.group('/').remove()).rejects.toMatchObject({ code: 'ConfigInvalid' })
  })

  test('RD-08 on a tree in the kernel’s shape: a refusal has the path, and what the kernel says of its last command', async () => {
    using tree = resctrlTree({ 'info/last_cmd_status': 'mask f7 has non-consecutive 1-bits\n' })
    using resctrl = await open(tree.path)
    // Writing to a directory is the refusal that any file system has.
    mkdirSync(`${tree.path}/gold/schemata`, { recursive: true })
    const error = await resctrl
      .group('gold')
      .setSchemata([{ resource: 'L3', domains: { 0: 0xf7 } }])
      .catch(error => error)
    expect(error).toMatchObject({ code: 'EISDIR', path: `${tree.path}/gold/schemata` })
    expect(error.message).toMatch(/\(mask f7 has non-consecutive 1-bits\)$/)
    await expect(resctrl.create('gold')).rejects.toThrow(/EEXIST.*gold' \(mask f7/)
    expect(await resctrl.lastCommandStatus()).toBe('mask f7 has non-consecutive 1-bits')
    writeFileSync(`${tree.path}/info/last_cmd_status`, 'ok\n')
    await expect(resctrl.create('gold')).rejects.toThrow(/gold'$/)
  })
})

describe('the class of a container', () => {
  test('RD-02 RD-06 on a tree in the kernel’s shape: one of its own, which goes with it', async () => {
    using tree = resctrlTree()
    using resctrl = await open(tree.path)
    const recorded: string[] = []
    const config = { l3CacheSchema: 'L3:0=f', memBwSchema: 'MB:0=20', enableMonitoring: true }
    const record = async ({ own }: GroupPlan) => {
      expect(existsSync(`${tree.path}/box`)).toBe(false)
      recorded.push(...own.map(({ name }) => name))
    }
    const plan = await claimGroup(resctrl, 'box', config, { record })
    expect(recorded).toEqual(['box', 'box/mon_groups/box'])
    expect(text(`${tree.path}/box/schemata`)).toBe('L3:0=f\nMB:0=20\n')
    expect(existsSync(`${tree.path}/box/mon_groups/box`)).toBe(true)
    await releaseGroup(plan.own)
    expect(existsSync(`${tree.path}/box`)).toBe(false)
  })

  test('RD-02 RD-06 on a tree in the kernel’s shape: by closId it is made if it is said of what, joined as it is, and stays', async () => {
    using tree = resctrlTree()
    using resctrl = await open(tree.path)
    await expect(planGroup(resctrl, 'box', { closId: 'gold' })).rejects.toMatchObject({
      field: 'intelRdt.closId',
      hint: expect.stringContaining(`mkdir ${tree.path}/gold`),
    })
    const made = await claimGroup(resctrl, 'box', { closId: 'gold', l3CacheSchema: 'L3:0=f' })
    expect([made.make.length, made.own]).toEqual([1, []])
    const joined = await claimGroup(resctrl, 'other', { closId: 'gold', enableMonitoring: true })
    expect(joined.own.map(({ name }) => name)).toEqual(['gold/mon_groups/other'])
    await releaseGroup(joined.own)
    expect(text(`${tree.path}/gold/schemata`)).toBe('L3:0=f\n')
    const root = await planGroup(resctrl, 'box', { closId: '/' })
    expect([root.group.name, root.make, root.own]).toEqual(['', [], []])
  })

  test('RD-04 on a tree in the kernel’s shape: a class with other schemata is an error that tells them, equal ones are joined', async () => {
    using tree = resctrlTree()
    addGroup(tree.path, 'gold', '    MB:0= 30;1=100\n    L3:0=00f;1=7ff\n')
    using resctrl = await open(tree.path)
    const same = { closId: 'gold', l3CacheSchema: 'L3:1=7FF;0=f', memBwSchema: 'MB:0=25' }
    expect(await claimGroup(resctrl, 'box', same)).toMatchObject({ make: [], schemata: [] })
    await expect(claimGroup(resctrl, 'box', { ...same, l3CacheSchema: 'L3:0=ff' })).rejects.toMatchObject({
      field: 'intelRdt.closId',
      message: expect.stringContaining('it has L3:0=f'),
    })
    // So does the root's, and one of the container's name that somebody else has made, which stays then.
    await expect(planGroup(resctrl, 'box', { closId: '/', memBwSchema: 'MB:0=50' })).rejects.toThrow('it has MB:0=100')
    expect(await planGroup(resctrl, 'gold', {})).toMatchObject({ make: [], own: [] })
    expect(text(`${tree.path}/gold/schemata`)).toBe('    MB:0= 30;1=100\n    L3:0=00f;1=7ff\n')
  })

  test('RD-08 on a tree in the kernel’s shape: what fails half-way leaves nothing', async () => {
    using tree = resctrlTree()
    using resctrl = await open(tree.path)
    // Where mon_groups is a file nothing can be made in it.
    const record = async () => {
      mkdirSync(`${tree.path}/elsewhere`)
    }
    writeFileSync(`${tree.path}/info/last_cmd_status`, 'out of RMIDs\n')
    const root = { closId: '/', enableMonitoring: true }
    mkdirSync(`${tree.path}/mon_groups/box`)
    await expect(claimGroup(resctrl, 'box', root, { record })).rejects.toThrow(/EEXIST.*out of RMIDs/)
    expect(existsSync(`${tree.path}/mon_groups/box`)).toBe(true)
    const config = { schemata: ['L3:0=f'], enableMonitoring: true }
    const blocked = async () => {
      // Between the plan and its first step somebody else makes it.
      addGroup(tree.path, 'late', 'L3:0=ff\n')
    }
    await expect(claimGroup(resctrl, 'late', config, { record: blocked })).rejects.toMatchObject({ code: 'EEXIST' })
    expect(text(`${tree.path}/late/schemata`)).toBe('L3:0=ff\n')
    // By its closId it is looked at again.
    let times = 0
    const again = async () => {
      if (times++ === 0) addGroup(tree.path, 'shared', 'L3:0=f\n')
    }
    const claimed = await claimGroup(resctrl, 'two', { ...config, closId: 'shared' }, { record: again })
    expect(claimed.own.map(({ name }) => name)).toEqual(['shared/mon_groups/two'])
  })

  test('RD-07 on a tree in the kernel’s shape: statistics by cache, and their words in events', async () => {
    using tree = resctrlTree()
    addGroup(tree.path, 'gold', '    MB:0= 30;1=100\n    L3:0=00f;1=7ff\n')
    using resctrl = await open(tree.path)
    const stats = await statsOf(resctrl, 'box', { closId: '/' })
    expect(stats.monitoring).toEqual([
      { domain: 0, llcOccupancy: 1048576, mbmTotalBytes: 123456789, mbmLocalBytes: 123450000 },
      { domain: 1, llcOccupancy: 0 },
    ])
    const event = eventRdt(await statsOf(resctrl, 'box', { closId: 'gold' }))
    expect(event).toEqual({
      l3_cache_info: { cbm_mask: '7ff', min_cbm_bits: 2, num_closids: 16 },
      l3_cache_schema_root: 'L3:0=7ff;1=7ff',
      l3_cache_schema: 'L3:0=f;1=7ff',
      mem_bw_info: { bandwidth_gran: 10, delay_linear: 1, min_bandwidth: 10, num_closids: 8 },
      mem_bw_schema_root: 'MB:0=100;1=100',
      mem_bw_schema: 'MB:0=30;1=100',
      schemata: ['MB:0=30;1=100', 'L3:0=f;1=7ff'],
      mbm_stats: [],
      cmt_stats: [],
    })
    expect(eventRdt(stats)).toMatchObject({
      mbm_stats: [
        { mbm_total_bytes: 123456789, mbm_local_bytes: 123450000 },
        { mbm_total_bytes: 0, mbm_local_bytes: 0 },
      ],
      cmt_stats: [{ llc_occupancy: 1048576 }, { llc_occupancy: 0 }],
    })
  })
})
