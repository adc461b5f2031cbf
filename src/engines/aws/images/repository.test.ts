import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appOwner } from '../../../domain/owner.ts'
import { repositoryName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { ensureRepository } from './repository.ts'

test('a name that no repository may have is refused before the account is asked', async () => {
  const { signal } = new AbortController()
  for (const name of ['my--app', 'app-']) {
    const repository = repositoryName('shop', appOwner(name))
    await assert.rejects(ensureRepository({} as AwsParts, repository, { signal }), {
      code: 'invalid',
      message: `an app cannot be called "${name}" in an AWS account`,
    })
  }
})
