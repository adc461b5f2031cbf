import type { CommandSpec } from '../command-spec.ts'

/** `rack version`; without options `main` answers it before anything is loaded. */
export const version: CommandSpec = {
  name: 'version',
  summary: 'the version of this command line',
  examples: ['version', 'version --json'],
  needs: 'nothing',
  async run({ world, output, isJson }) {
    if (isJson) output.json({ version: world.version, node: process.version })
    else output.data(`rack ${world.version}`)
  },
}
