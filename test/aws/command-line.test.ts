import assert from 'node:assert/strict'
import { commandLineContract } from '../contract/command-line.ts'
import { startAccountRack } from '../support/account-rack.ts'

commandLineContract('AWS account', async () => {
  const rack = await startAccountRack()
  return {
    ...rack,
    async [Symbol.asyncDispose]() {
      await rack[Symbol.asyncDispose]()
      assert.deepEqual(rack.account.calls.refused, [])
      assert.deepEqual(rack.account.troubles, [])
    },
  }
})
