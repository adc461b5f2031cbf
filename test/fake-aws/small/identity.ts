import * as sdk from '@aws-sdk/client-sts'
import type { FakeAccount, FakeService } from '../fake-service.ts'

/** Who calls, named after its key: a user of the account, or a session of a role, whose keys begin with ASIA (D). */
export function createIdentity({ account }: FakeAccount): FakeService {
  return {
    scope: 'sts',
    sdk,
    actions: {
      // Needs no permission, and answers whoever has a key (D).
      GetCallerIdentity: (_input, { accessKeyId }): Promise<sdk.GetCallerIdentityResponse> =>
        Promise.resolve({
          Account: account,
          UserId: accessKeyId,
          Arn: accessKeyId.startsWith('ASIA')
            ? `arn:aws:sts::${account}:assumed-role/${accessKeyId}/session`
            : `arn:aws:iam::${account}:user/${accessKeyId}`,
        }),
    },
  }
}
