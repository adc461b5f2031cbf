import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** Answers with what `answer` holds, and ends with the code that is in `code`; what it is told goes to `said`. */
const program = `#!/bin/sh
here=$(/usr/bin/dirname "$0")
echo "$@" >> "$here/said"
[ "$1" = --file ] && /bin/cat >> "$here/said" && echo >> "$here/said"
/bin/cat "$here/answer"
exit $(/bin/cat "$here/code")
`

/** A program `nft` of our own. */
export async function fakeNft(context: TestContext) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'firewall-'))
  const place = (name: string) => join(folder.path, name)
  await writeFile(place('nft'), program, { mode: 0o755 })
  const answer = async (text: string, code = 0) => {
    await writeFile(place('answer'), text)
    await writeFile(place('code'), String(code))
  }
  await answer('')
  findProgramsIn(context, folder.path)
  return Object.assign(folder, { answer, said: async () => await readFile(place('said'), 'utf8') })
}

/** From now on programs are looked for in this directory alone, until the test ends. */
export function findProgramsIn(context: TestContext, directory: string): void {
  const { PATH } = process.env
  context.after(() => void (process.env['PATH'] = PATH))
  process.env['PATH'] = directory
}
