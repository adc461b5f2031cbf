import type { Random } from './random.ts'

/** Texts that are made to grow, to nest or to take long, of any length. */
export const bombs: ((length: number, random: Random) => string)[] = [
  (length) => aliasBomb(Math.min(20, 2 + (length % 19)), 9),
  (length) => inWeb(`image: "${'${A:-'.repeat(length / 5)}${'}'.repeat(length / 5)}"`),
  (length) => inWeb(`image: "${'${A:-'.repeat(length / 5)}"`),
  (length) => inWeb(`image: ${'$A'.repeat(length / 2)}`),
  (length) => inWeb(`command: [${'"$A", '.repeat(length / 6)}]`),
  (length) => inWeb(`image: x${'y'.repeat(length)}`),
  (length) => inWeb(`image: "${'\\n'.repeat(length / 2)}"`),
  (length) => '['.repeat(length),
  (length) => '{a: '.repeat(length / 4),
  (length) => '- '.repeat(length / 2),
  (length) => '&a '.repeat(length / 3),
  (length) => '? '.repeat(length / 2),
  (length) => '"'.repeat(length),
  (length) => '!reset '.repeat(length / 7),
  (length) => 'k: 1\n'.repeat(length / 5),
  (length) => '---\na: 1\n'.repeat(length / 9),
  (length) => Array.from({ length: Math.sqrt(length) }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
  (length) => inWeb(numbered(length / 20, (index) => `environmen${index}: 1`)),
  (length) =>
    inWeb(`environment:\n${numbered(length / 20, (index) => `  VARIABLE_${index}: \${A:-${index}}`)}`),
  (length) => inWeb(`labels: {${numbered(length / 24, (index) => `rack.helth.path${index}: x,`)}}`),
  (length) => inWeb(`ports: [${'"1-65535:1-65535",'.repeat(length / 18)}]`),
  (length) => inWeb(`ports: ["${':'.repeat(length)}"]`),
  (length) => inWeb(`ports:\n${numbered(length / 16, (index) => `  - "${index}:${index}"`)}`),
  (length) => inWeb(`volumes: ["a:${'/'.repeat(length)}x"]\nworking_dir: "${'/'.repeat(length / 2)}"`),
  (length) => inWeb(`volumes:\n${numbered(length / 12, (index) => `  - v${index}:/v${index}`)}`),
  (length) => inWeb(`environment: { A: ${'1'.repeat(length / 2)}, B: ${'1_'.repeat(length / 4)} }`),
  (length) =>
    `configs: { c: { content: "${'x'.repeat(length / 2)}" } }\n${inWeb(`configs: [${'c,'.repeat(length / 4)}]`)}`,
  (length) => sharedVolumes(Math.floor(Math.sqrt(length) / 4)),
  (length) => inWeb(`stop_grace_period: ${'1s'.repeat(length / 2)}x`),
  (length) => inWeb(`labels: { "rack.cron.a": "${'0,'.repeat(length / 2)}0 * * * * x" }`),
  (length) => inWeb(`labels: { "rack.cron.a": "0 0 30 2 * x" }\nmem_limit: ${'9'.repeat(length)}`),
  (length) =>
    `services:\n${numbered(length / 40, (index) => `  p${index}: { image: x, depends_on: [p${index + 1}] }`)}`,
  (length) =>
    `services:\n${numbered(length / 40, (index) => `  p${index}: { image: x, links: [p${(index / 2) | 0}] }`)}`,
  (length) => `services:\n${numbered(length / 40, (index) => `  p${index}: { extends: p${index + 1} }`)}`,
  (length) =>
    `services:\n${numbered(length / 60, (index) => `  p${index}: { image: x, volumes_from: [p${index + 1}, p${index + 2}] }`)}`,
  (length) => `x: &a { image: x }\nservices:\n${numbered(length / 20, (index) => `  p${index}: { <<: *a }`)}`,
  (length) => `include: [${'a.yml, '.repeat(length / 7)}]\nservices: { web: { image: x } }`,
  (_length, random) => mergeBomb(2 + random.below(30)),
  (length, random) => extendedBomb(length, random),
  (length, random) => inWeb(`${random.pick(fileKeys)}: [${'a.env, '.repeat(length / 7)}]`),
  (length, random) => {
    const key = random.pick(fileKeys)
    return `services:\n${numbered(manyOf(length / 35), (index) => `  p${index}: { image: x, ${key}: a.env }`)}`
  },
  (length, random) => {
    const targets = numbered(1 + random.below(12), (index) => `p${index}`).replaceAll('\n', ', ')
    const line = (index: number) => `  p${index}: { image: x, depends_on: [p${index + 1}, ${targets}] }`
    return `services:\n${numbered(manyOf(length / 60), line)}`
  },
  (length) =>
    inWeb(`labels:\n${numbered(length / 40, (at) => `  rack.cron.t${at}.timezone: Eurpe/Brlin${at}`)}`),
  (length) => inWeb(`command: ${'x; '.repeat(length / 3)}`),
]

const fileKeys = ['env_file', 'label_file']

/** A process of many values, which as many others extend as an app may have. */
function extendedBomb(length: number, random: Random): string {
  const items = numbered(length / 16, (index) => `"v${index}=1"`).replaceAll('\n', ', ')
  const key = random.pick(['environment', 'labels', 'extra_hosts', 'cap_add', 'links', 'command', 'expose'])
  const others = numbered(manyOf(length / 40), (index) => `  p${index}: { extends: base }`)
  return `services:\n  base: { image: x, ${key}: [${items}] }\n${others}`
}

/** Not more processes than an app may have: the reader looks at no more. */
function manyOf(count: number): number {
  return Math.min(490, count)
}

function inWeb(lines: string): string {
  return `services:\n  web:\n    image: nginx\n    ${lines.replaceAll('\n', '\n    ')}\n`
}

function numbered(count: number, line: (index: number) => string): string {
  return Array.from({ length: Math.max(1, Math.floor(count)) }, (_, index) => line(index)).join('\n')
}

function aliasBomb(levels: number, width: number): string {
  const lines = Array.from({ length: levels }, (_, level) => {
    const alias = level === 0 ? 'lol' : `*a${level - 1}`
    return `x-${level}: &a${level} [${Array.from({ length: width }, () => alias).join(', ')}]`
  })
  return `${lines.join('\n')}\nservices:\n  web:\n    image: x\n    command: *a${levels - 1}\n`
}

/** Every process takes the volumes of all that follow, the last of which has many. */
function sharedVolumes(processes: number): string {
  const names = Array.from({ length: processes }, (_, index) => `p${index}`)
  const lines = names.map(
    (name, index) => `  ${name}: { image: x, volumes_from: [${names.slice(index + 1).join(', ')}] }`,
  )
  const volumes = names.map((name) => `"v:/${name}"`).join(', ')
  return `services:\n${lines.join('\n')}\n  last: { image: x, volumes: [${volumes}] }\nvolumes: { v: }\n`
}

/** Every level merges the one before it twice, and adds a key. */
function mergeBomb(levels: number): string {
  const lines = Array.from({ length: levels }, (_, level) => {
    const merged = level === 0 ? '' : `<<: [*m${level - 1}, *m${level - 1}], deeper: *m${level - 1}, `
    return `x-${level}: &m${level} { ${merged}k${level}: 1 }`
  })
  return `${lines.join('\n')}\nservices:\n  web: { image: x, labels: { <<: *m${levels - 1} } }\n`
}
