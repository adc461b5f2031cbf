import assert from 'node:assert/strict'
import { test } from 'node:test'
import { typeCommand } from '../../../test/support/type-command.ts'
import type { MadeToken, NewToken, Token } from '../../domain/token.ts'

const created = '2026-11-29T00:00:00.000Z'
const ci: Token = { name: 'ci', role: 'deploy', apps: ['shop'], created, expires: null, lastUsed: null }

function rackThatMakes(asked: NewToken[]) {
  return {
    createToken: async (wanted: NewToken): Promise<MadeToken> => {
      asked.push(wanted)
      return { ...ci, ...wanted, token: 'rack_secret', expires: '2027-02-27T00:00:00.000Z' }
    },
  }
}

test('a token is made with its role, apps and life, and shown on standard output alone', async () => {
  const asked: NewToken[] = []
  const rack = rackThatMakes(asked)
  const words = [
    'tokens',
    'create',
    'ci',
    '--role',
    'deploy',
    '--app',
    'shop',
    '--app',
    'blog',
    '--expires',
    '90d',
  ]
  const said = await typeCommand(words, { rack })
  assert.deepEqual(asked, [
    { name: 'ci', role: 'deploy', apps: ['shop', 'blog'], lifetimeMs: 90 * 86_400_000 },
  ])
  assert.deepEqual([said.code, said.stdout], [0, 'rack_secret\n'])
  assert.match(said.stderr, /^ci has the role deploy for shop, blog until 2027-02-27/)
  assert.doesNotMatch(said.stderr, /rack_secret/)
  const json = await typeCommand(['tokens', 'create', 'all', '--role', 'admin', '--json'], { rack })
  assert.equal((JSON.parse(json.stdout) as MadeToken).token, 'rack_secret')
  assert.deepEqual(asked[1], { name: 'all', role: 'admin', apps: null, lifetimeMs: null })
})

test('what is not said, or is none, is asked for', async () => {
  const rack = rackThatMakes([])
  for (const [words, told] of [
    [[], /a token has a role\n.*--role metrics\|read\|deploy\|admin/],
    [['--role', 'root'], /"root" is no role/],
    [['--role', 'read', '--expires', 'soon'], /"soon" is no duration\n.*30d/],
  ] as const) {
    const { code, stderr } = await typeCommand(['tokens', 'create', 'ci', ...words], { rack })
    assert.equal(code, 2)
    assert.match(stderr, told)
  }
})

test('they are listed without what they are, and revoked when that is meant', async () => {
  const revoked: string[] = []
  const gone = { ...ci, name: 'old', apps: null, expires: created }
  const rack = {
    listTokens: async () => [ci, gone],
    revokeToken: async (name: string) => void revoked.push(name),
  }
  const { stdout } = await typeCommand(['tokens'], { rack })
  assert.match(stdout, /^NAME +ROLE +APPS +CREATED +EXPIRES +LAST USED\n/)
  assert.match(stdout, /^ci +deploy +shop +.* +never +–$/m)
  assert.match(stdout, /^old +deploy +all +.* +expired +–$/m)
  assert.deepEqual(JSON.parse((await typeCommand(['tokens', 'list', '--json'], { rack })).stdout), [ci, gone])
  assert.equal((await typeCommand(['tokens', 'revoke', 'ci'], { rack })).code, 2)
  assert.equal((await typeCommand(['tokens', 'revoke', 'ci', '--yes'], { rack })).code, 0)
  assert.deepEqual(revoked, ['ci'])
})
