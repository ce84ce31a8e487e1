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
  /^packages\/cgroups\/dist\/(?:systemd\/driver|stats\/stats|events\/(?:memory-)?pressure)\./,
  /^packages\/intelrdt\/dist\/(?:config|index)\./,
  /^packages\/mount\/dist\/(?:bind-descriptor|files|root-ids|root-tmpfs)\./,
  /^packages\/network\/dist\/config\./,
  /^packages\/container\/dist\/(?:checkpoint\/(?!leftovers)|dialects\/of-state|intelrdt\/intel-rdt|network\/networking|plan\/(?:confinement-steps|seldom)|running\/(?:live-|monitor|pause|set|stop)|state\/overview)/,
  /^packages\/lcrun\/dist\/commands\/(?:checkpoint|completion|doctor|events|features|help|info|init|list|man|monitor|mounts|pause|plan|ps|restore|resume|shell|spec|update|wait)\./,
  /^packages\/lcrun\/dist\/(?:probe|unit-properties)\./,
  // Of what failed, and of terminals.
  /^packages\/(?:namespaces\/dist\/obstacle|oci\/dist\/in-spec-words|console\/dist\/relay)\./,
  /^packages\/criu\/dist\//,
  /^packages\/lcrun\/dist\/(?:image-options|no-cgroups|version-text)\./,
  /^packages\/cli\/dist\/(?:checkpoint|image-words|json-status|log-service|notify-socket|tell-checkpoint)\./,
  /^packages\/nsinit\/dist\//,
]

/** The text of a module that calls the program which the executable's name asks for: lcrun is there at once, the others are imported. */
export function chooser(programs) {
  const [last, ...others] = programs.toReversed()
  const choices = others.map(({ entry, called }) => `  [${called}, async () => (await import('./${entry}')).default],`)
  return [
    "import { calledAs } from './packages/sys/dist/runtime.js'",
    `import main from './${last.entry}'`,
    `const choices = [\n${choices.join('\n')}\n]`,
    // Only then: all that stands outside of it has run when the executable was built.
    'export default async () => {',
    '  const choose = choices.find(([called]) => called.test(calledAs()))?.[1]',
    '  return await (choose === undefined ? main : await choose())()',
    '}',
    '',
  ].join('\n')
}
