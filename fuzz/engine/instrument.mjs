// A target with all that it imports as one module, in which each branch counts how often it was taken.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { parse } from 'acorn'
import { build } from 'esbuild'

/** The module of a file, without counters. @param external - what it imports as it is, and does not contain */
export async function bundle(file, external = []) {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    external,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
    plugins: [ownPlaces],
  })
  return outputFiles[0].text
}

/** A package finds its binding from where its file lies. */
const ownPlaces = {
  name: 'own-places',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/packages\/[\w-]+\/(dist|src)\/.*\.[jt]s$/ }, ({ path }) => {
      const contents = readFileSync(path, 'utf8').replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path)))
      return { contents, loader: path.endsWith('.ts') ? 'ts' : 'js' }
    }),
}

/** The code with a counter in each branch, how many there are, and the texts that it compares with: words for the fuzzer. */
export function instrument(code) {
  const edits = []
  const words = new Set()
  let edges = 0
  const count = () => `__edges[${edges++}]++`
  const insert = (at, text) => edits.push({ at, text, order: edits.length })

  const expression = node => {
    insert(node.start, `(${count()},`)
    insert(node.end, ')')
  }
  const statement = node => {
    if (node.type === 'BlockStatement') insert(node.start + 1, `${count()};`)
    else {
      insert(node.start, `{${count()};`)
      insert(node.end, '}')
    }
  }
  const branch = {
    IfStatement: ({ consequent, alternate }) => [consequent, alternate].filter(Boolean).forEach(statement),
    ForStatement: ({ body }) => statement(body),
    ForInStatement: ({ body }) => statement(body),
    ForOfStatement: ({ body }) => statement(body),
    WhileStatement: ({ body }) => statement(body),
    DoWhileStatement: ({ body }) => statement(body),
    CatchClause: ({ body }) => statement(body),
    FunctionDeclaration: ({ body }) => statement(body),
    FunctionExpression: ({ body }) => statement(body),
    ArrowFunctionExpression: ({ body }) => (body.type === 'BlockStatement' ? statement(body) : expression(body)),
    ConditionalExpression: ({ consequent, alternate }) => [consequent, alternate].forEach(expression),
    LogicalExpression: ({ right }) => expression(right),
    AssignmentPattern: ({ right }) => expression(right),
    SwitchCase: ({ consequent }) => consequent.length > 0 && insert(consequent[0].start, `${count()};`),
    Literal: ({ value }) => typeof value === 'string' && words.add(value),
  }
  const visit = node => {
    branch[node.type]?.(node)
    for (const part of Object.values(node)) {
      for (const each of Array.isArray(part) ? part : [part]) if (each?.type) visit(each)
    }
  }
  visit(parse(code, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true }))
  return { code: `const __edges = globalThis.__edges;${applied(code, edits)}`, edges, words: [...words].filter(isWord) }
}

/**
 * Of edits at one place what closes comes before what opens, and what closes was opened last: an outer node is visited before those in it, so
 * it opens first and closes last.
 */
function applied(code, edits) {
  const closes = ({ text }) => text === ')' || text === '}'
  edits.sort((a, b) => a.at - b.at || closes(b) - closes(a) || (closes(a) ? b.order - a.order : a.order - b.order))
  const parts = []
  let from = 0
  for (const { at, text } of edits) {
    parts.push(code.slice(from, at), text)
    from = at
  }
  return parts.join('') + code.slice(from)
}

/** What an input may have to hold, and is hardly found by chance. */
const isWord = text => /^[\x20-\x7e]{2,24}$/.test(text)
