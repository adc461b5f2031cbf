import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, test } from 'node:test'
import { startRackCommand } from '../support/command-line.ts'
import { openInstallWorld } from '../support/install-world.ts'

const world = await openInstallWorld()
const { name, region, directory, env, run, passes, install } = world
after(async () => await world.close())

/** Ends an install by a signal while stacks are made. */
async function interruptedBy(signal: NodeJS.Signals) {
  const { child, said } = startRackCommand(install, { env })
  const { promise: isMaking, resolve } = Promise.withResolvers<void>()
  let seen = ''
  child.stderr!.on('data', (chunk: string) => {
    seen += chunk
    if (seen.includes('Vpc CREATE_COMPLETE')) resolve()
  })
  await Promise.race([isMaking, said])
  child.kill(signal)
  return await said
}

test('an install that was interrupted is gone on with', async () => {
  const { code, stderr } = await interruptedBy('SIGINT')
  assert.equal(code, 130, stderr)
  assert.match(stderr, /^→ The account goes on with what it has begun\. Type the same again/m)
  assert.ok(!existsSync(directory))
  const rest = await passes([...install, '--json'])
  assert.equal((JSON.parse(rest.stdout) as { status: string }).status, 'running')
  const refused = await run(['uninstall', '--region', region, '--rack', name, '--yes'])
  assert.match(refused.stderr, new RegExp(`^error: ${name} is installed: its daemon is on `, 'm'))
  const gone = await passes(['uninstall', '--rack', name, '--yes', '--volumes', '--json'])
  const last = JSON.parse(gone.stdout.trim().split('\n').at(-1)!) as { result: { kept: { type: string }[] } }
  assert.deepEqual(
    last.result.kept.map(({ type }) => type),
    ['AWS::KMS::Key'],
  )
  assert.match(gone.stderr, /the key \S+, which AWS deletes in 30 days/)
})

test('what one that was killed has left is taken away', async () => {
  await interruptedBy('SIGKILL')
  await passes(['uninstall', '--region', region, '--rack', name, '--yes', '--volumes'])
  assert.deepEqual([...new Set(await world.held())], ['AWS::KMS::Key'])
})
