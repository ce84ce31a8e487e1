/** A drawing's nodes and links. */
export interface Topology {
  readonly nodes: readonly TopologyNode[]
  readonly links: readonly TopologyLink[]
}

export interface TopologyNode {
  readonly name: string
  readonly kind: 'host' | 'switch'
  /** Lines below the name: addresses. */
  readonly notes?: readonly string[] | undefined
}

export interface TopologyLink {
  /** Two names of nodes. */
  readonly ends: readonly [string, string]
  /** Beside the middle: `20 ms, 1 % lost`. */
  readonly note?: string | undefined
}

/** In pixels. */
const LETTER = 7.3
const LINE = 18
const NODE = { width: 96, height: 40 }
const GAP = 96
const MARGIN = 32

interface Placed {
  readonly node: TopologyNode
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/**
 * Draws a network as SVG: its nodes on a circle, switches within. Pure; the same topology is the same text.
 *
 * Colours follow the reader's scheme, and names of nodes are read by screen readers.
 */
export function topologySvg({ nodes, links }: Topology): string {
  const placed = place(nodes)
  const at = new Map(placed.map(each => [each.node.name, each]))
  const width = Math.max(...placed.map(({ x, width }) => x + width / 2), 0) + MARGIN
  const height = Math.max(...placed.map(({ y, height }) => y + height / 2), 0) + MARGIN
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(height)}" role="img" font-family="ui-monospace, monospace" font-size="12">`,
    `<title>${escaped(`A network of ${nodes.map(({ name }) => name).join(', ')}`)}</title>`,
    '<style>',
    '.l{stroke:#7a8aa0;stroke-width:1.5}.n{stroke:#4a6fa5;stroke-width:1.5;fill:#eef3fa}.s{fill:#fbf1dd;stroke:#b0842b}',
    'text{fill:#1d2733;text-anchor:middle}.m{fill:#5a6878;font-size:11px}',
    '@media(prefers-color-scheme:dark){.n{fill:#1f2c3d}.s{fill:#3a3018}text{fill:#e6ebf2}.m{fill:#a9b6c6}}',
    '</style>',
    ...links.flatMap(link => drawLink(link, at)),
    ...placed.map(drawNode),
    '</svg>',
    '',
  ].join('\n')
}

function place(nodes: readonly TopologyNode[]): Placed[] {
  const sizes = nodes.map(node => {
    const lines = [node.name, ...(node.notes ?? [])]
    const longest = Math.max(...lines.map(line => line.length))
    return {
      node,
      width: Math.max(NODE.width, longest * LETTER + 24),
      height: Math.max(NODE.height, lines.length * LINE + 14),
    }
  })
  const switches = sizes.filter(({ node }) => node.kind === 'switch')
  const hosts = sizes.filter(({ node }) => node.kind === 'host')
  const widest = Math.max(...sizes.map(({ width }) => width), 0)
  const tallest = Math.max(...sizes.map(({ height }) => height), 0)
  const radius = (count: number): number => (count < 2 ? 0 : ((widest + GAP) * count) / (2 * Math.PI) + GAP / 2)
  const inner = radius(switches.length)
  const outer =
    hosts.length === 0 ? inner : Math.max(radius(hosts.length), switches.length === 0 ? 0 : inner + GAP + tallest)
  const centre = { x: outer + widest / 2 + MARGIN, y: outer + tallest / 2 + MARGIN }
  const around = (all: typeof sizes, r: number): Placed[] =>
    all.map((each, i) => {
      const angle = (2 * Math.PI * i) / all.length - Math.PI / 2
      return { ...each, x: centre.x + r * Math.cos(angle), y: centre.y + r * Math.sin(angle) }
    })
  return [...around(switches, inner), ...around(hosts, outer)]
}

function drawLink({ ends: [one, other], note }: TopologyLink, at: ReadonlyMap<string, Placed>): string[] {
  const a = at.get(one)
  const b = at.get(other)
  if (a === undefined || b === undefined) return []
  const line = `<line class="l" x1="${round(a.x)}" y1="${round(a.y)}" x2="${round(b.x)}" y2="${round(b.y)}"/>`
  if (note === undefined || note === '') return [line]
  return [
    line,
    `<text class="m" x="${round((a.x + b.x) / 2)}" y="${round((a.y + b.y) / 2 - 6)}">${escaped(note)}</text>`,
  ]
}

function drawNode({ node, x, y, width, height }: Placed): string {
  const lines = [node.name, ...(node.notes ?? [])]
  const top = y - ((lines.length - 1) * LINE) / 2 + 4
  const texts = lines.map(
    (line, i) =>
      `<text${i === 0 ? '' : ' class="m"'} x="${round(x)}" y="${round(top + i * LINE)}">${escaped(line)}</text>`,
  )
  const corner = node.kind === 'switch' ? 4 : 12
  const shape = `<rect class="n${node.kind === 'switch' ? ' s' : ''}" x="${round(x - width / 2)}" y="${round(y - height / 2)}" width="${round(width)}" height="${round(height)}" rx="${corner}"/>`
  return `<g>${shape}${texts.join('')}</g>`
}

const round = (value: number): number => Math.round(value * 10) / 10

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, each => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[each]!)
