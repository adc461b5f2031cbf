import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { assertGolden } from '../../test/support/golden.ts'
import { typeCommand } from '../../test/support/type-command.ts'

const root = join(import.meta.dirname, '../..')
const golden = join(root, 'test/golden/manifest')

/** What is typed after `rack manifest check`, for the cases where it is more than nothing. */
const typed: Record<string, string[]> = {
  production: ['docker-compose.yml', 'docker-compose.prod.yml'],
  swarm: ['docker-stack.yml'],
}

for (const name of readdirSync(join(golden, 'cases'))) {
  test(`the case "${name}" is read as before`, async () => {
    const check = async (...flags: string[]) => {
      const args = ['manifest', 'check', ...(typed[name] ?? []), ...flags]
      const said = await typeCommand(args, { cwd: join(golden, 'cases', name) })
      return {
        ...said,
        shown: `$ rack ${args.join(' ')}\n${said.stdout}${said.stderr}exit code ${said.code}\n`,
      }
    }
    const report = await check('--verdicts')
    assertGolden(`manifest/${name}.report.txt`, report.shown)
    const onAws = await check('--for', 'aws', '--verdicts')
    assertGolden(`manifest/${name}.aws.report.txt`, onAws.shown)
    const resolved = await check('--resolved')
    assert.equal(resolved.code, report.code)
    const path = `manifest/${name}.resolved.yml`
    if (report.code === 0) assertGolden(path, resolved.stdout)
    else
      assert.equal(existsSync(join(root, 'test/golden', path)), false, `${path} is of a file that is refused`)
  })
}

for (const file of globSync('examples/*/{docker-,}compose.{yml,yaml}', { cwd: root })) {
  test(`${file} has no problem`, async () => {
    const { code, stdout, stderr } = await typeCommand(['manifest', 'check'], {
      cwd: join(root, dirname(file)),
    })
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' }, stdout)
    assert.match(stdout, / no problems; /)
  })
}
