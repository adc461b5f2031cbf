import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose } from '../../../../test/support/compose.ts'
import { filesOf } from '../../files.ts'

const fileOf = (context: string) =>
  `services:\n  web:\n    build: { context: "${context}", dockerfile: Web.Dockerfile }\n`
const read = (context: string) => {
  const { processes, problems } = readCompose(fileOf(context), {}, { lenientVariables: true })
  return { build: processes[0]?.build, problems: problems.join('\n') }
}
const commit = 'a'.repeat(40)

test('a build of a repository has its context where that is fetched to', () => {
  const text = `https://example.com/shop.git#${commit}:web`
  const { build, problems } = read(text)
  assert.equal(problems, '')
  assert.match(build?.context ?? '', /^\.rack\/git\/shop-[0-9a-f]{8}\/web$/)
  assert.deepEqual([build?.repository, build?.dockerfile], [text, 'Web.Dockerfile'])
  const source = { files: [{ path: 'c.yml', text: fileOf(text) }], dotenv: null, texts: {}, contents: {} }
  const { repositories, contexts } = filesOf(source, {})
  assert.deepEqual(
    repositories.map(({ url, ref }) => [url, ref]),
    [['https://example.com/shop.git', commit]],
  )
  assert.equal(contexts[0]?.context, build?.context)
})

test('one that may be another each time is warned about', () => {
  assert.match(
    read('https://example.com/shop.git#main').problems,
    /warning: .*is fetched at each build by git.*URL#COMMIT/,
  )
})

test('what is no repository, has a credential, or leads out of it, is refused', () => {
  assert.match(read('https://example.com/shop.tgz').problems, /error: .*is no repository of git/)
  assert.match(
    read(`https://example.com/shop.git#${commit}:../up`).problems,
    /error: .*is no repository of git/,
  )
  for (const user of ['tok3n', 'ann:tok3n', '${TOKEN}']) {
    const { problems } = read(`https://${user}@example.com/shop.git`)
    assert.match(problems, /error: .*has a credential.*by its own keys/)
    assert.ok(!problems.includes('tok3n'), 'it is not shown')
  }
})
