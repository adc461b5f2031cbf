import type { Corpus } from './corpus.ts'
import type { Random } from './random.ts'

/** Changes a text a little, or a lot. */
export type Mutation = (text: string, random: Random, corpus: Corpus) => string

const fragments = [
  ...'${ } $ $$ ${A ${A:- ${A:?no} ${A:+$B} ${A-${B- *a [ ] { } " \' null ~ yes 0x10 0o17 017 -1 1e3 .inf 99999'.split(
    ' ',
  ),
  ...'../ / \\ https:// 😀 é __proto__:'.split(' '),
  ...'&a |<<: |- |? |: |  | #|!reset |!override |!!str |!x |#'.split('|'),
  '\t',
  '\n',
  '\r\n',
  '\0',
  '\uFEFF',
  '\u2028',
  '\uD800',
  '|\n',
  '>-\n',
  '---\n',
  '...\n',
  '%YAML 1.1\n',
  '__proto__: 1\n',
  'constructor: 1\n',
  'services:\n',
]

const values = [
  ...'~ null true no 0 -1 1.5 1e3 .inf .nan 0o17 99999999999999999999 12:34 [] {} [~] [[a]] [{}] "${A}"'.split(
    ' ',
  ),
  ...'${A:-x} ${B:?} "\\u0000" *a "80:80" / . .. /var/run/docker.sock ./a host always 1m 90 1h30m 256m'.split(
    ' ',
  ),
  ...'[a.env] default web |&a x|!reset null|!override []|a b c|no such thing'.split('|'),
  '{a: {b: c}}',
  '[a, a]',
  '{file: a.yml, service: web}',
  '[{path: a.env}]',
  '|\n      text',
]

/** All ways to spoil a text, the plain ones and those that know a little YAML. */
export const mutations: Mutation[] = [
  (text, random) => splice(text, random, 0, random.pick(fragments)),
  (text, random) => splice(text, random, 1 + random.below(8), random.pick(fragments)),
  (text, random) => splice(text, random, 1, String.fromCharCode(random.below(0x180))),
  (text, random) => splice(text, random, random.below(200), ''),
  (text, random) => text.slice(0, random.below(text.length + 1)),
  (text, random) => splice(text, random, 0, slice(text, random)),
  onLines((lines, random) => void lines.splice(random.below(lines.length), 1)),
  onLines((lines, random) => swap(lines, random)),
  onLines((lines, random) => repeat(5, () => swap(lines, random))),
  onLines((lines, random) => void lines.splice(random.below(lines.length), 0, random.pick(lines))),
  onLines(
    (lines, random, { lines: known }) => void lines.splice(random.below(lines.length), 0, random.pick(known)),
  ),
  onLines((lines, random, { lines: known }) => swapKey(lines, random, random.pick(known))),
  onLine((line, random) => ' '.repeat(random.below(8)) + line.trimStart()),
  onLine((line, random) => line.replace(/^( *-? ?)/, `$1${random.pick(['  ', '- ', '\t', '? ', '"'])}`)),
  onLine((line, random) => line.replace(/:.*$/, `: ${random.pick(values)}`)),
  onLine((line, random) => line.replace(/- .*$/, `- ${random.pick(values)}`)),
  onLine((line, random, { keys }) => line.replace(/[\w.-]+(?=:)/, random.pick(keys))),
  onLine((line, random) =>
    line.replace(/: */, `: ${random.pick(['&a ', '*a ', '&b ', '!reset ', '!override ', '| ', '['])}`),
  ),
  onLine((line) => `${line}\n${/^ */.exec(line)?.[0] ?? ''}<<: *a`),
  onLine(
    (line, random, { keys }) =>
      `${line}\n${/^ */.exec(line)?.[0] ?? ''}${random.pick(keys)}: ${random.pick(values)}`,
  ),
  (text, random, { blocks }) => `${text}\n${random.pick(blocks)}`,
  (text) => text.replaceAll(/\r?\n/g, '\r\n'),
  (text, random) => text.replaceAll(/\d+/g, (digits) => (random.chance(0.1) ? random.pick(values) : digits)),
  (text) => `\uFEFF${text}`,
  (text) => text.replaceAll('  ', '\t'),
]

/** Where and how much of a text is cut, and what stands there instead. */
function splice(text: string, random: Random, cut: number, added: string): string {
  const from = random.below(text.length + 1)
  return text.slice(0, from) + added + text.slice(from + cut)
}

function slice(text: string, random: Random): string {
  const from = random.below(text.length + 1)
  return text.slice(from, from + random.below(400))
}

function onLines(change: (lines: string[], random: Random, corpus: Corpus) => void): Mutation {
  return (text, random, corpus) => {
    const lines = text.split('\n')
    change(lines, random, corpus)
    return lines.join('\n')
  }
}

function onLine(change: (line: string, random: Random, corpus: Corpus) => string): Mutation {
  return onLines((lines, random, corpus) => {
    const index = random.below(lines.length)
    lines[index] = change(lines[index] ?? '', random, corpus)
  })
}

function swap(lines: string[], random: Random): void {
  const [one, other] = [random.below(lines.length), random.below(lines.length)]
  ;[lines[one], lines[other]] = [lines[other] ?? '', lines[one] ?? '']
}

/** The key and value of another file, at the depth of the line that it replaces. */
function swapKey(lines: string[], random: Random, known: string): void {
  const index = random.below(lines.length)
  const indent = /^ */.exec(lines[index] ?? '')?.[0] ?? ''
  lines[index] = indent + known.trimStart()
}

function repeat(times: number, action: () => void): void {
  for (let time = 0; time < times; time += 1) action()
}
