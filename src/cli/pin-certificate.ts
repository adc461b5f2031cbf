import { lookAtCertificate, type PinnedCertificate } from '../client/look-at-certificate.ts'
import { outsideLifetime } from '../client/unreachable.ts'
import { RackError } from '../domain/error.ts'
import { printable } from './output/printable.ts'
import type { Session } from './session.ts'

/**
 * Whom to believe at an address of https, before a token is sent: null where a known authority vouches for it, and no
 * fingerprint was said; else whoever has that fingerprint, or the one that a person agrees to.
 * @throws untrusted; unreachable
 */
export async function pinCertificate(session: Session, url: string): Promise<PinnedCertificate | null> {
  const wanted = session.options.text('fingerprint')
  const { problem, last } = await lookAtCertificate(url)
  const { host } = new URL(url)
  // Agreed to, it would not be believed either.
  const lifetime = problem === null ? null : outsideLifetime(host, problem)
  if (lifetime) throw new RackError('untrusted', lifetime.message, { hint: lifetime.hint })
  if (wanted !== undefined) {
    checkFingerprint(wanted, { of: host, found: last.fingerprint, right: 'On the rack: rack certs ca' })
    return last
  }
  if (problem === null) return null
  const { world } = session
  if (!world.stdin.isTTY || !world.stderr.isTTY) {
    throw new RackError(
      'untrusted',
      `nobody who is known here vouches for ${host} (${problem}); its fingerprint is ${last.fingerprint}`,
      {
        hint: `Compare it with what rack certs ca tells on the rack's machine, then: rack login ${url} --fingerprint ${last.fingerprint}`,
      },
    )
  }
  await agree(session, host, last.fingerprint)
  return last
}

/**
 * Compares what a person says with what is there, however either is written.
 * @throws untrusted; `right` says who tells the right one
 */
export function checkFingerprint(
  wanted: string,
  { of, found, right }: { of: string; found: string; right: string },
): void {
  if (plain(wanted) === plain(found)) return
  throw new RackError('untrusted', `the certificate of ${of} has another fingerprint: ${found}`, {
    hint: `Nothing was sent to it. ${right} tells the right one.`,
  })
}

async function agree({ world }: Session, host: string, fingerprint: string): Promise<void> {
  const { createInterface } = process.getBuiltinModule('node:readline/promises')
  const reader = createInterface({ input: world.stdin, output: world.stderr })
  const { promise: left, resolve } = Promise.withResolvers<string>()
  reader.once('close', () => resolve(''))
  const question = `Nobody who is known here vouches for ${host}. The fingerprint of who does:\n${fingerprint}\nOn the rack's machine, rack certs ca tells the same? Type yes to believe it: `
  const answer = await Promise.race([reader.question(printable(question)), left])
  reader.close()
  if (answer.trim() !== 'yes') throw new RackError('cancelled', 'nothing was sent to it')
}

function plain(fingerprint: string): string {
  return fingerprint
    .replace(/^sha256:/i, '')
    .replaceAll(/[:\s]/g, '')
    .toUpperCase()
}
