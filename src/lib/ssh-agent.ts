import type { SshKey } from './ssh-key.ts'
import { createSshReader, sshNumber, sshString } from './ssh-wire.ts'

/** An agent that holds one key: it tells which one and signs with it, and does nothing else. */
export interface SshAgent {
  /** Takes a piece of what a client sends, and gives what is to be answered. @throws RangeError for what is no request */
  push(bytes: Uint8Array): Buffer
}

/** @see https://datatracker.ietf.org/doc/html/draft-ietf-sshm-ssh-agent */
const failure = 5
const requestIdentities = 11
const identitiesAnswer = 12
const signRequest = 13
const signResponse = 14

/** As much as OpenSSH's own takes. */
const largestRequest = 256 * 1024

export function createSshAgent(key: SshKey): SshAgent {
  let held = Buffer.alloc(0)
  return {
    push(bytes) {
      held = Buffer.concat([held, bytes])
      const answers: Buffer[] = []
      while (held.length >= 4) {
        const length = held.readUInt32BE()
        if (length === 0 || length > largestRequest) throw new RangeError('that is no request of an agent')
        if (held.length < 4 + length) break
        answers.push(sshString(answer(key, held.subarray(4, 4 + length))))
        held = held.subarray(4 + length)
      }
      return Buffer.concat(answers)
    },
  }
}

function answer(key: SshKey, request: Buffer): Buffer {
  const [kind] = request
  if (kind === requestIdentities) {
    const comment = sshString('rack')
    return Buffer.concat([Buffer.from([identitiesAnswer]), sshNumber(1), sshString(key.blob), comment])
  }
  if (kind !== signRequest) return Buffer.from([failure])
  const fields = createSshReader(request.subarray(1))
  const [blob, data, flags] = [fields.string(), fields.string(), fields.number()]
  if (!blob.equals(key.blob)) return Buffer.from([failure])
  return Buffer.concat([Buffer.from([signResponse]), sshString(key.sign(data, flags))])
}
