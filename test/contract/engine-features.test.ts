import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { awsFeatures } from '../../src/domain/aws-features.ts'
import { dockerFeatures } from '../../src/domain/docker-features.ts'
import type { Engine } from '../../src/domain/engine.ts'
import { engineFeatures, findFeatures } from '../../src/domain/engine-features.ts'
import { RackError } from '../../src/domain/error.ts'
import type { EngineFeatures } from '../../src/domain/features.ts'
import { connectDocker } from '../../src/engines/docker/client.ts'
import { createDockerEngine } from '../../src/engines/docker/docker-engine.ts'
import { createRouter } from '../../src/router/create-router.ts'
import { createMemoryAddresses } from '../support/memory-addresses.ts'
import { createMemoryEngine } from '../support/memory-engine.ts'
import { missingFeature } from '../support/needed-features.ts'
import { startMemoryRack } from '../support/memory-rack.ts'

/** None of them is asked for anything, so none needs what it stands on. */
const engines: Record<string, { engine: Pick<Engine, 'features'>; own: EngineFeatures }> = {
  docker: { engine: createUnconnectedDocker(), own: dockerFeatures },
  'in memory': { engine: createMemoryEngine(), own: dockerFeatures },
}

for (const [name, { engine, own }] of Object.entries(engines)) {
  test(`the features of the engine "${name}" are those that its files are read by`, () => {
    assert.deepEqual(engine.features, own)
    assert.equal(findFeatures(engine.features.name), own)
  })
}

test('features are data: nothing is lost in JSON, and each is found by its name', () => {
  for (const features of engineFeatures) {
    assert.deepEqual(JSON.parse(JSON.stringify(features)), features)
    assert.equal(findFeatures(features.name), features)
  }
  assert.equal(findFeatures('podman'), undefined)
})

test('a feature that no engine has in a way of its own is none', () => {
  const same = Object.entries(dockerFeatures).filter(
    ([name, value]) => JSON.stringify(value) === JSON.stringify(awsFeatures[name as keyof EngineFeatures]),
  )
  assert.deepEqual(same, [])
})

test('a reason is part of a sentence, and a refusal says what to write instead', () => {
  for (const [name, feature] of engineFeatures.flatMap(
    (features) => Object.entries(features) as [string, unknown][],
  )) {
    if (typeof feature !== 'object' || feature === null || !('why' in feature)) continue
    const { why, instead = '' } = feature as { why: string; instead?: string }
    assert.match(why, /^[^ ].*[^. ]$/, name)
    assert.doesNotMatch(instead, /\.$/, name)
    if ('verdict' in feature && feature.verdict === 'refused') assert.notEqual(instead, '', name)
  }
})

test('a scenario is skipped by the first feature that its engine has not, and by no other', () => {
  assert.equal(missingFeature(dockerFeatures, ['agents', 'changesPortsInPlace']), undefined)
  assert.equal(missingFeature(awsFeatures, ['ownHostName', 'agents']), 'ownHostName')
  assert.equal(missingFeature(awsFeatures, ['restartOnFailure', 'agents']), 'restartOnFailure')
  assert.equal(missingFeature(awsFeatures, []), undefined)
})

test('builds and promotes are read by the features of the engine that will run them', async () => {
  await using rack = await startMemoryRack()
  const { engine, operations, control } = rack
  const text = 'services:\n  web:\n    image: shop\n    command: sleep\n    dns: 10.0.0.53\n'
  const refusal = (error: unknown) => {
    assert.ok(error instanceof RackError && error.code === 'manifest-invalid', String(error))
    assert.match(
      error.message,
      /docker-compose\.yml:5:5: error: services\.web\.dns: "dns" is refused: .*; use `extra_hosts`/,
    )
    assert.equal(error.hint, 'Mend the lines above, then: rack manifest check --for aws')
    return true
  }
  await operations.createApp('shop')
  const release = await rack.build('shop', text)
  engine.features = awsFeatures
  await assert.rejects(rack.build('shop', text), refusal)
  await assert.rejects(operations.promoteRelease('shop', release, { releaseCommand: true }, control), refusal)
  engine.features = dockerFeatures
  await operations.promoteRelease('shop', release, { releaseCommand: true }, control)
})

function createUnconnectedDocker(): Engine {
  const directory = '/nowhere'
  return createDockerEngine({
    docker: connectDocker({ socketPath: `${directory}/docker.sock` }),
    router: createRouter({ directory, httpBind: '127.0.0.1', httpPort: 80 }),
    addresses: createMemoryAddresses(),
    rack: 'features',
    directory,
    total: { cpuUnits: 1024, memoryBytes: 2 ** 30 },
    pool: { cidr: '10.0.0.0/16', subnetBits: 24 },
    outside: { domain: 'localhost', httpPort: 80 },
    randomBytes,
  })
}
