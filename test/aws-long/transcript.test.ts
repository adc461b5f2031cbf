import { test } from 'node:test'
import { openAccount } from '../transcript/on-account.ts'
import { openMachine } from '../transcript/on-machine.ts'
import { playTranscript } from '../transcript/play-transcript.ts'

for (const [where, open] of Object.entries({ account: openAccount, machine: openMachine })) {
  test(`what a new user types, from nothing to nothing: ${where}`, async (context) => {
    await using stage = await open()
    await playTranscript(stage, (text) => context.diagnostic(text))
  })
}
