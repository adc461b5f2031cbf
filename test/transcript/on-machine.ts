import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { freePort, installRack, type InstalledRack } from '../support/installed-rack.ts'
import { domain, type Stage } from './stage.ts'

const docker = promisify(execFile)

/** This machine. */
export async function openMachine(): Promise<Stage> {
  const https = await freePort()
  let rack: InstalledRack | null = null
  const installed = () => rack ?? raise('it is not installed')
  return {
    image: async (name) => name,
    service: () => ['services', 'create', 'redis', '--name', 'main'],
    plan: null,
    async install() {
      rack = await installRack(['--domain', domain, '--https-port', String(https)])
      return await rack.attempt(['status'])
    },
    uninstall: ['uninstall', '--yes', '--volumes'],
    type: async (words) => await installed().attempt(words),
    door: async () => ({ http: installed().httpPort, https, ca: await installed().run('certs', 'ca') }),
    plainStatus: 200,
    async left() {
      const { name, directory } = installed()
      const ours = ['--filter', `label=com.rack.name=${name}`]
      const lists = [
        ['ps', '--all', '--quiet', ...ours],
        ['volume', 'ls', '--quiet', ...ours],
        ['network', 'ls', '--quiet', ...ours],
      ]
      const found = await Promise.all(
        lists.map(async (words) => (await docker('docker', words)).stdout.split('\n')),
      )
      return [...found.flat().filter((id) => id !== ''), ...(existsSync(directory) ? [directory] : [])]
    },
    stays: [],
    async [Symbol.asyncDispose]() {
      await rack?.[Symbol.asyncDispose]()
    },
  }
}

function raise(why: string): never {
  throw new Error(why)
}
