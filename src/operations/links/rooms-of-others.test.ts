import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refuseRoomsOfOthers } from './rooms-of-others.ts'

const logins: Parameters<typeof refuseRoomsOfOthers>[2]['logins'] = [
  { app: 'shop', data: 'shop_cache', keyPrefix: 'shop:' },
  { app: 'desk', data: 'desk_cache', keyPrefix: null },
]

/** Asks for keys of a service that has no databases, for the app `blog`. */
async function ask(keyPrefix: string | null, apps: string[] | null, more: typeof logins = []): Promise<void> {
  await refuseRoomsOfOthers(
    { name: 'ci', role: 'deploy', apps },
    { service: 'cache', app: 'blog', data: 'blog_cache', keyPrefix, isShared: false },
    { logins: [...logins, ...more], databases: async () => assert.fail('it has none') },
  )
}

for (const near of ['shop:', 'sh', 'shop:carts:', null]) {
  test(`keys that begin ${near ?? 'anyhow'} are not given to who is not for the app that has them by its prefix`, async () => {
    await assert.rejects(ask(near, ['blog', 'desk']), {
      code: 'forbidden',
      message: /cache .*is another app's too$/,
      hint: /--key-prefix PREFIX/,
    })
    await ask(near, ['blog', 'shop'])
    await ask(near, null)
    await ask(near, ['blog'], [{ app: 'blog', data: 'blog_cache', keyPrefix: near }])
  })
}

test('keys that nobody has to themselves are for every app', async () => {
  for (const own of ['blog:', 'desk:']) await ask(own, ['blog'])
})
