import { readCaller, type Caller } from '../../account/caller.ts'
import { openAccount, type OpenAccount } from '../../account/open-account.ts'
import { RackError } from '../../domain/error.ts'
import type { AwsInstallation } from '../../host/installation.ts'
import { daemonEnvironment } from '../../host/make-installation.ts'
import type { World } from '../world.ts'

/** An account that is known to be the one in which a rack stands. */
export interface OwnAccount extends Disposable {
  account: OpenAccount
  caller: Caller
}

/**
 * Calls the account of a rack whose daemon is here as whom that calls, not as this shell does.
 * @throws conflict where it is another account than the rack's; unauthorized
 */
export async function openAsDaemon(
  { directory, places }: AwsInstallation,
  world: Pick<World, 'env'>,
): Promise<OwnAccount> {
  await useDaemonCredentials(directory, world)
  return await openOwnAccount({ id: places.account, region: places.region })
}

/** Has this program call as a rack's daemon does: the SDK finds as whom in the environment of the program, and nowhere else. */
export async function useDaemonCredentials(directory: string, { env }: Pick<World, 'env'>): Promise<void> {
  for (const [name, value] of Object.entries(await daemonEnvironment(directory, env))) {
    if (!/^(AWS|RACK_AWS)_/.test(name)) continue
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}

const callerDeadlineMs = 60_000

/** As whom this program calls. @throws conflict where that is of another account; unauthorized */
export async function openOwnAccount({ id, region }: { id: string; region: string }): Promise<OwnAccount> {
  const account = openAccount(region, process.env)
  using undo = new DisposableStack()
  undo.defer(() => account.close())
  const signal = AbortSignal.timeout(callerDeadlineMs)
  const caller = await readCaller(account.clients.identity, region, { signal })
  if (caller.account !== id) {
    throw new RackError(
      'conflict',
      `the rack stands in the account ${id}, and the credentials are of ${caller.account}`,
      {
        hint: 'Choose those of its account: AWS_PROFILE=NAME before the command; aws sts get-caller-identity shows whose they are',
      },
    )
  }
  const closing = undo.move()
  return { account, caller, [Symbol.dispose]: () => closing.dispose() }
}
