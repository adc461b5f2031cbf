import { openAccount } from './on-account.ts'
import { openMachine } from './on-machine.ts'
import { playTranscript } from './play-transcript.ts'

/** `npm run transcript account|machine`: what a new user types, and what is answered. */
const say = (text: string) => void process.stdout.write(`${text}\n`)
const stages = { account: openAccount, machine: openMachine }
const [where = 'account'] = process.argv.slice(2)
if (where !== 'account' && where !== 'machine') {
  say('usage: npm run transcript [account|machine]')
  process.exit(2)
}
await using stage = await stages[where]()
await playTranscript(stage, say)
