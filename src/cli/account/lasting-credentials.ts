import { RackError } from '../../domain/error.ts'

/**
 * Keys of a shell end with it, and systemd starts a daemon without them.
 * @throws conflict where the daemon would be started so
 */
export function checkLastingCredentials(
  environment: Record<string, string | undefined>,
  { isBySystemd }: { isBySystemd: boolean },
): void {
  if (!isBySystemd || !environment['AWS_ACCESS_KEY_ID']) return
  throw new RackError('conflict', 'systemd would start the daemon without the keys of this shell', {
    hint: "Give it what lasts: unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN, and set AWS_PROFILE, or use the instance's role",
  })
}
