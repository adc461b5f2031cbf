import type { STS } from '@aws-sdk/client-sts'
import { RackError } from '../domain/error.ts'

const answerDeadlineMs = 30_000

/** @throws engine-unavailable for a caller of another account, in which what is called the same is somebody else's */
export async function assertAccount(
  identity: Pick<STS, 'getCallerIdentity'>,
  account: string,
  signal: AbortSignal = AbortSignal.timeout(answerDeadlineMs),
): Promise<void> {
  const { Account, Arn } = await identity.getCallerIdentity({}, { abortSignal: signal })
  if (Account === account) return
  throw new RackError(
    'engine-unavailable',
    `${Arn} is of account ${Account}, and the rack is in ${account}`,
    {
      hint: "Choose whom the daemon calls as: AWS_PROFILE=NAME in daemon.env of the rack's directory, then rack stop; rack start",
    },
  )
}

/** Settles once the caller was seen to be of the account; whoever was is not asked about again. */
export function createAccountGate(identity: Pick<STS, 'getCallerIdentity'>, account: string) {
  let seen: Promise<void> | null = null
  return async (): Promise<void> => {
    seen ??= assertAccount(identity, account).catch((error: unknown) => {
      seen = null
      throw error
    })
    await seen
  }
}
