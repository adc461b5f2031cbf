import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { RackError } from '../domain/error.ts'
import type { UdpPort } from '../domain/udp-port.ts'
import { parseCidr } from '../lib/cidr.ts'
import { readTextIfThere } from '../lib/files.ts'
import { devicesInto } from '../lib/routes.ts'

type Signalled = { signal: AbortSignal }

const run = promisify(execFile)
const deadlineMs = 10_000

/**
 * Lets what was led to copies come to them: Docker drops what others send into its networks unless its own chain for
 * users says otherwise, and Linux sends nothing of the machine's own address out by a bridge. Safe to repeat.
 * @throws host-failed where a port is open and its way is not
 */
export async function openWay(
  rack: string,
  pool: string,
  ports: UdpPort[],
  control: Signalled,
): Promise<void> {
  const led = [
    '-p',
    'udp',
    '-m',
    'conntrack',
    '--ctstate',
    'DNAT',
    '-m',
    'comment',
    '--comment',
    `rack ${rack}`,
  ]
  // Both directions: Docker keeps its networks apart, and one of them may ask.
  for (const side of ['-d', '-s']) {
    const rule = ['DOCKER-USER', side, pool, ...led, '-j', 'ACCEPT']
    const isOpen = await iptables(['-C', ...rule], control)
    if (ports.length === 0 && isOpen) await iptables(['-D', ...rule], control)
    if (ports.length > 0 && !isOpen && !(await iptables(['-I', ...rule], control))) throw closed()
  }
  const open = await bridgesIn(ports.flatMap(({ subnet }) => subnet ?? []))
  for (const name of await bridgesIn([pool])) await takeOwn(name, open.includes(name))
}

/** Whether what the machine sends from its own addresses goes out by a bridge, where that is another answer than before. */
async function takeOwn(bridge: string, isTaken: boolean): Promise<void> {
  const setting = `/proc/sys/net/ipv4/conf/${bridge}/route_localnet`
  const before = await readTextIfThere(setting)
  // It goes with its app, at any moment.
  if (before === null || (before.trim() === '1') === isTaken) return
  await writeFile(setting, isTaken ? '1' : '0').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

function closed(): RackError {
  return new RackError(
    'host-failed',
    'Docker’s chain DOCKER-USER takes no rule, so udp ports are reached by nobody outside',
    {
      hint: 'See what it says: sudo iptables -S DOCKER-USER',
    },
  )
}

/** Whether it did what it was told. */
async function iptables(words: string[], { signal }: Signalled): Promise<boolean> {
  try {
    await run('iptables', ['--wait', '5', ...words], { signal, timeout: deadlineMs })
    return true
  } catch (error) {
    if (signal.aborted) throw error
    return false
  }
}

/** The bridges of these networks. */
async function bridgesIn(networks: string[]): Promise<string[]> {
  const wanted = networks.flatMap((network) => parseCidr(network) ?? [])
  return (await Promise.all(wanted.map(devicesInto))).flat()
}
