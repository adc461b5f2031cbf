import type { Control } from '../../domain/control.ts'
import type { Engine } from '../../domain/engine.ts'
import { codeOf, RackError } from '../../domain/error.ts'
import { shell } from '../../services/inside.ts'
import { runInside } from '../services/run-inside.ts'

/** No program in the image that could. */
const unable = 3

/**
 * Opens a connection with what an image has: says `begin`, and ends well once it is there. `timeout` is left out where
 * there is none: the kernel gives up by itself, later.
 */
const open = `if command -v timeout >/dev/null 2>&1; then limit='timeout 5'; else limit=; fi
if command -v bash >/dev/null 2>&1; then
  echo begin; exec $limit bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$1" "$2"
elif command -v nc >/dev/null 2>&1; then
  if nc --help 2>&1 | grep -q -- '-e PROG'; then echo begin; exec nc -w 5 "$1" "$2" -e true; fi
  echo begin; exec $limit nc -z -w 5 "$1" "$2"
elif command -v python3 >/dev/null 2>&1; then
  echo begin; exec $limit python3 -c 'import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)' "$1" "$2"
elif command -v node >/dev/null 2>&1; then
  echo begin; exec $limit node -e 'require("net").connect(process.argv[2], process.argv[1], () => process.exit())' "$1" "$2"
fi
exit ${unable}`

export interface Place {
  host: string
  port: number
}

/**
 * Opens a connection from inside a process, as its own programs would: by its names, on its networks.
 * @returns how long it took; null where its image has nothing that could
 * @throws service-failed with what the program says
 */
export async function openFrom(
  engine: Pick<Engine, 'exec'>,
  processId: string,
  { host, port }: Place,
  control: Control,
): Promise<{ connectMs: number } | null> {
  let begun = performance.now()
  const output = async () => {
    begun = performance.now()
  }
  try {
    const inside = shell(open, { words: [host, String(port)] })
    await runInside(engine, processId, { inside, streams: { output } }, control)
    return { connectMs: performance.now() - begun }
  } catch (error) {
    if (isUnable(error)) return null
    throw error
  }
}

/** An image without a shell ends with 126 or 127, or cannot be asked at all. */
function isUnable(error: unknown): boolean {
  if (!(error instanceof RackError) || codeOf(error) !== 'service-failed') return false
  const { exitCode } = error.details as { exitCode: number }
  return [unable, 126, 127].includes(exitCode)
}
