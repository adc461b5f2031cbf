import * as sdk from '@aws-sdk/client-service-quotas'
import { AwsError, type FakeAccount, type FakeService } from '../fake-service.ts'

/** D: "Fargate On-Demand vCPU resource count". */
const fargateCpu = { service: 'fargate', code: 'L-3032A538', name: 'Fargate On-Demand vCPU resource count' }

/** `fargateVcpu`: what the account may run at once. */
export function createQuotas({ region, account }: FakeAccount, { fargateVcpu = 64 } = {}): FakeService {
  return {
    scope: 'servicequotas',
    sdk,
    actions: {
      GetServiceQuota: async (input: sdk.GetServiceQuotaRequest): Promise<sdk.GetServiceQuotaResponse> => {
        const { service, code, name } = fargateCpu
        if (input.ServiceCode !== service || input.QuotaCode !== code) {
          throw new AwsError(
            'NoSuchResourceException',
            'The request failed because the specified service does not exist.',
          )
        }
        return {
          Quota: {
            ServiceCode: service,
            QuotaCode: code,
            QuotaName: name,
            QuotaArn: `arn:aws:servicequotas:${region}:${account}:${service}/${code}`,
            Value: fargateVcpu,
            Unit: 'None',
            Adjustable: true,
            GlobalQuota: false,
          },
        }
      },
    },
  }
}
