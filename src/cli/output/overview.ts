import { nouns as allNouns } from '../nouns.ts'

const nouns = allNouns.filter(({ isHidden }) => !isHidden)

/** What `rack help` prints. */
export function overview(): string {
  const groups = [...new Set(nouns.map(({ group }) => group))]
  const widest = Math.max(...nouns.map(({ name }) => name.length))
  const sections = groups.map((group) => {
    const lines = nouns
      .filter((noun) => noun.group === group)
      .map(({ name, summary }) => `  ${name.padEnd(widest)}  ${summary}`)
    return [`${group}:`, ...lines].join('\n')
  })
  return `${[
    'Usage: rack <command> [options]',
    'Runs a docker-compose.yml in production.',
    ...sections,
    'Every command takes --json and --help; commands of an app take --app, and all take --rack.',
    'Examples:\n  $ rack install\n  $ rack deploy --app guestbook examples/guestbook\n  $ rack help deploy',
  ].join('\n\n')}\n`
}
