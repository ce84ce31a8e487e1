/**
 * The programs that the executable has, and the names by which it is told which one is meant: what is not called for nsinit is lcrun, so that
 * a link of any name (`runc`, `crun`) is an OCI runtime.
 */
export const programs = [
  { name: 'nsinit', entry: 'packages/nsinit/dist/quickjs/main.js', called: /(^|\/)ns(init|enter)[^/]*$/ },
  { name: 'lcrun', entry: 'packages/lcrun/dist/quickjs/main.js', called: /(^|\/)[^/]*$/ },
]

/**
 * What few starts import: it is compiled and carried, and evaluated when it is imported. Of lcrun the commands that engines seldom or never run;
 * nsinit starts once where lcrun starts for each act of an engine.
 */
export const late = [
  /^packages\/cgroups\/dist\/(?:systemd\/index|stats)\./,
  /^packages\/intelrdt\/dist\/index\./,
  // Of networks a config's fields are always looked at; what makes them is for those who have some.
  /^packages\/network\/dist\/(?:index|acts|apply|bridge|classic|dns|features|helper|helper-command|look-up|made|net-devices|own-namespace|plan|port|ports|probe|release|settings|side|stats)\./,
  /^packages\/netlink\/dist\/(?!(?:text|address-text|link-name|mac|prefix)\.)/,
  /^packages\/container\/dist\/networking\./,
  /^packages\/container\/dist\/(?:dialects\/of-state|intel-rdt|live-)/,
  /^packages\/lcrun\/dist\/commands\/(?:checkpoint|completion|doctor|events|features|help|info|man|mounts|plan|ps|restore|shell|spec|update)\./,
  /^packages\/lcrun\/dist\/probe\./,
  /^packages\/nsinit\/dist\//,
]

/** The text of a module that calls the program which the executable's name asks for. */
export function chooser(programs) {
  const lines = programs.flatMap(({ entry }, i) => `import main${i} from ${JSON.stringify(`./${entry}`)}`)
  const choices = programs.map(({ called }, i) => `  [${called}, main${i}],`)
  return [
    "import { calledAs } from '@libcontainer/sys'",
    ...lines,
    `const choices = [\n${choices.join('\n')}\n]`,
    'export default async () => await choices.find(([called]) => called.test(calledAs()))[1]()',
    '',
  ].join('\n')
}
