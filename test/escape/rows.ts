/** The known flaws of other runtimes, and of Node.js as a host: each has a test whose name begins with its id. */
export const rows: readonly string[] = [
  ...['CVE-2015-3627', 'CVE-2015-3629', 'CVE-2015-3630', 'CVE-2015-3631'],
  ...['CVE-2016-3697', 'CVE-2016-8867', 'CVE-2016-8649', 'CVE-2016-9962', 'CVE-2016-10124', 'CVE-2017-5226'],
  ...['CVE-2018-15664', 'CVE-2019-5736', 'CVE-2019-16884', 'CVE-2019-18837', 'CVE-2019-19921', 'CVE-2020-15257'],
  ...['CVE-2021-30465', 'CVE-2021-43784', 'CVE-2022-0492', 'CVE-2022-0847'],
  ...['CVE-2022-24769', 'CVE-2022-27649', 'CVE-2022-27650', 'CVE-2022-29162', 'CVE-2025-27612'],
  ...['CVE-2023-25809', 'CVE-2023-27561', 'CVE-2023-28642', 'CVE-2024-21626', 'CVE-2024-3154', 'CVE-2024-45310'],
  ...['CVE-2024-42472', 'CVE-2025-24965', 'CVE-2025-31133', 'CVE-2025-52565', 'CVE-2025-52881', 'CVE-2025-54867'],
  ...['CVE-2025-62161', 'CVE-2025-62596', 'CVE-2025-65105', 'CVE-2026-30892', 'CVE-2026-41579', 'CVE-2026-47766'],
  ...['CVE-2026-88264', 'CVE-2026-88265', 'CVE-2026-84042', 'CVE-2026-115520', 'CVE-2026-119101', 'CVE-2026-119614'],
  ...['CVE-2026-115521', 'CVE-2026-46680'],
  ...['NODE-1', 'NODE-2', 'NODE-3', 'NODE-4'],
]

/** Those without a test, and who owns them. */
export const withoutTest: ReadonlyMap<string, string> = new Map(
  ['CVE-2026-115520', 'CVE-2026-119101', 'CVE-2026-119614'].map(id => [id, 'criu: keys of external mounts']),
)

/** What a row says besides the test that it has, and who owns that. */
export const furtherParts: ReadonlyMap<string, string> = new Map([
  ['CVE-2019-16884', 'container, where a module enforces: the label is really active afterwards'],
  ['CVE-2023-28642', 'container, where a module enforces: the label is really active afterwards'],
  ['CVE-2025-62596', 'container, where a module enforces: the label is read back from outside'],
  ['CVE-2025-65105', 'container, where a module enforces: a profile that cannot be applied is an error'],
])
