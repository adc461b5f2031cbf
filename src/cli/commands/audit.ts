import type { Reply } from '../../client/client-types.ts'
import type { CommandSpec } from '../command-spec.ts'
import { formatTable } from '../output/table.ts'
import { ago, tookBetween } from '../output/times.ts'
import { sinceTime } from '../since-time.ts'

type Entry = Reply<'listAudit'>[number]

const verify: CommandSpec = {
  name: 'verify',
  summary: 'whether the audit is as it was written',
  description: [
    'Entries hang together by codes whose key is not in the store, and a file beside it says how far they have come. Names the',
    'first that was altered, is missing, stands elsewhere or was not written by the rack, and a tail that was cut; ends with 1 then.',
  ].join('\n'),
  examples: ['audit verify', 'audit verify --json'],
  needs: 'rack',
  async run({ connect, output, isJson }) {
    const proof = await (await connect()).verifyAudit()
    if (isJson) output.json(proof)
    else if (proof.fault) output.say(output.colors.say.red(`${proof.fault.kind}: ${proof.fault.detail}`))
    else output.say(`all ${proof.entries} entries are as they were written`)
    return proof.fault ? 1 : 0
  },
}

/** `rack audit`. */
export const audit: CommandSpec = {
  name: 'audit',
  summary: 'who changed what, from where, and how it ended',
  description: [
    'Newest first: what tokens asked for that changes something or shows values of the environment, also what was refused.',
    'It names what was meant, never a value or a command. A dash for the end means that it goes on, or that the daemon',
    'died meanwhile. Kept for 400 days, 20,000 entries at most; of what a token is refused, 100 a day.',
  ].join('\n'),
  examples: [
    'audit',
    'audit --since 7d --app shop',
    'audit --follow --json',
    'audit --actor ci',
    'audit verify',
  ],
  options: [
    { flags: '--limit <number>', meaning: 'how many; 20 unless given' },
    {
      flags: '--since <time>',
      meaning: 'begun then or later: 2026-11-29T08:00:00Z, or 7d for the last seven days',
    },
    { flags: '-a, --app <name>', meaning: 'of this app' },
    { flags: '--actor <name>', meaning: 'by the token of this name' },
    {
      flags: '-f, --follow',
      meaning: 'go on as it happens: a line when a call begins, and one when it ends; Ctrl-C ends it',
    },
  ],
  needs: 'rack',
  commands: [verify],
  async run(session) {
    const { connect, options, output, isJson } = session
    const client = await connect()
    const filter = {
      since: sinceTime(options.text('since')),
      app: options.text('app'),
      actor: options.text('actor'),
    }
    if (options.flag('follow')) {
      const { followAudit } = await import('../follow-audit.ts')
      return await followAudit(session, client, filter)
    }
    const query = { ...filter, limit: options.text('limit') ?? '20' }
    const entries = await client.listAudit({ query })
    if (isJson) return output.json(entries)
    if (entries.length === 0) return output.say('nobody has changed anything yet')
    const { green, red } = output.colors.data
    const paint = (text: string, { outcome }: Entry) =>
      outcome === null ? text : outcome === 'done' ? green(text) : red(text)
    const columns = [
      { heading: 'WHEN', value: ({ begun }: Entry) => ago(begun) },
      { heading: 'WHO', value: ({ caller }: Entry) => caller },
      { heading: 'FROM', value: ({ source }: Entry) => source },
      { heading: 'WHAT', value: ({ verb }: Entry) => inWords(verb) },
      { heading: 'APP', value: ({ app }: Entry) => app },
      { heading: 'OF', value: ({ subject }: Entry) => subject },
      { heading: 'TOOK', value: ({ begun, ended }: Entry) => ended && tookBetween(begun, ended) },
      { heading: 'END', value: ({ outcome }: Entry) => outcome, paint },
    ]
    output.data(formatTable(columns, entries))
  },
}

/** `promoteRelease` is `promote release`. */
function inWords(verb: string): string {
  return verb.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
