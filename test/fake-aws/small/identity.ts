import * as sdk from '@aws-sdk/client-sts'
import type { FakeAccount, FakeService } from '../fake-service.ts'

/** Who calls: a user of the account named after its key. */
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
          Arn: `arn:aws:iam::${account}:user/${accessKeyId}`,
        }),
    },
  }
}
