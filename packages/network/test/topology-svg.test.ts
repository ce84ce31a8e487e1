import { topologySvg } from '@libcontainer/network/lab'
import { expect, test } from 'vitest'

const lab = {
  nodes: [
    { name: 'a', kind: 'host', notes: ['10.0.0.1/24'] },
    { name: 's', kind: 'switch' },
    { name: '<b>&"', kind: 'host' },
  ],
  links: [{ ends: ['a', 's'], note: '20 ms, 1 % lost' }, { ends: ['s', '<b>&"'] }],
} as const

test('a drawing has each node and link once, and no markup of theirs', () => {
  const svg = topologySvg(lab)
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 [\d.]+ [\d.]+"/)
  expect(svg.match(/<rect /g)).toHaveLength(3)
  expect(svg.match(/<line /g)).toHaveLength(2)
  expect(svg).toContain('20 ms, 1 % lost')
  expect(svg).toContain('&lt;b&gt;&amp;&quot;')
  expect(svg).not.toContain('<b>')
  expect(svg).not.toContain('NaN')
})

test('the same topology is the same text, an empty one a drawing too', () => {
  expect(topologySvg(lab)).toBe(topologySvg(structuredClone(lab)))
  expect(topologySvg({ nodes: [], links: [] })).toMatch(/^<svg .*<\/svg>\n$/s)
  expect(topologySvg({ nodes: [{ name: 'a', kind: 'host' }], links: [] })).not.toContain('NaN')
})

test('no two nodes lie on each other', () => {
  const nodes = Array.from(
    { length: 12 },
    (_, i) => ({ name: `host-with-a-name-${i}`, kind: i < 3 ? 'switch' : 'host' }) as const,
  )
  const boxes = [
    ...topologySvg({ nodes, links: [] }).matchAll(
      /<rect [^>]*x="([-\d.]+)" y="([-\d.]+)" width="([\d.]+)" height="([\d.]+)"/g,
    ),
  ].map(([, ...numbers]) => numbers.map(Number) as [number, number, number, number])
  expect(boxes).toHaveLength(12)
  for (const [i, [x, y, w, h]] of boxes.entries())
    for (const [a, b, c, d] of boxes.slice(i + 1)) expect(x < a + c && a < x + w && y < b + d && b < y + h).toBe(false)
})
