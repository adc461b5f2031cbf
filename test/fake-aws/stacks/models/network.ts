import type { Made } from '../template.ts'
import {
  idOf,
  plainModel,
  text,
  texts,
  type Inventory,
  type Properties,
  type ResourceModel,
} from './model.ts'

/** The one network of an account, whoever made it. */
export const vpcId = 'vpc-0fa4e000000000000'

/** Addresses and routes are kept and not followed: tasks stand in a network of Docker. Times are guesses (J). */
export function networkModels(inventory: Inventory): Record<string, ResourceModel> {
  const { there, subnets } = inventory
  const isThere = (id: unknown, type: string) => there.has(`AWS::EC2::${type} ${text(id)}`)
  const assertThere = (id: unknown, type: string) => {
    const isKnown = type === 'Subnet' ? subnets.has(text(id) ?? '') : isThere(id, type)
    if (!isKnown) throw new Error(`The ${type} ID '${text(id)}' does not exist`)
  }
  const plain = (type: string, takesMs: number, make: (properties: Properties) => Made) =>
    plainModel(inventory, `AWS::EC2::${type}`, { takesMs, make })
  const attached = (type: string, takesMs: number, needs: Record<string, string>) =>
    plain(type, takesMs, (properties) => {
      for (const [property, kind] of Object.entries(needs)) assertThere(properties[property], kind)
      const id = idOf(type.toLowerCase())
      return { physical: id, attributes: { Id: id } }
    })
  return {
    'AWS::EC2::VPC': plainModel(inventory, 'AWS::EC2::VPC', {
      takesMs: 14_000,
      make: () => {
        if (isThere(vpcId, 'VPC')) throw new Error('a fake account has one VPC')
        return { physical: vpcId, attributes: { VpcId: vpcId } }
      },
      refuse: () => (subnets.size > 0 ? `The vpc '${vpcId}' has dependencies and cannot be deleted.` : null),
    }),
    'AWS::EC2::Subnet': subnet(inventory, (id) => assertThere(id, 'VPC')),
    'AWS::EC2::InternetGateway': plain('InternetGateway', 14_000, () => {
      const id = idOf('igw')
      return { physical: id, attributes: { InternetGatewayId: id } }
    }),
    'AWS::EC2::VPCGatewayAttachment': attached('VPCGatewayAttachment', 14_000, {
      VpcId: 'VPC',
      InternetGatewayId: 'InternetGateway',
    }),
    'AWS::EC2::RouteTable': plain('RouteTable', 10_000, ({ VpcId }) => {
      assertThere(VpcId, 'VPC')
      const id = idOf('rtb')
      return { physical: id, attributes: { RouteTableId: id } }
    }),
    'AWS::EC2::Route': plain('Route', 3000, (properties) => {
      assertThere(properties['RouteTableId'], 'RouteTable')
      const { GatewayId, NatGatewayId } = properties
      if (NatGatewayId !== undefined) assertThere(NatGatewayId, 'NatGateway')
      else assertThere(GatewayId, 'InternetGateway')
      const id = `${text(properties['RouteTableId'])}|${text(properties['DestinationCidrBlock'])}`
      return { physical: id, attributes: {} }
    }),
    'AWS::EC2::SubnetRouteTableAssociation': attached('SubnetRouteTableAssociation', 3000, {
      SubnetId: 'Subnet',
      RouteTableId: 'RouteTable',
    }),
    'AWS::EC2::EIP': plain('EIP', 14_000, () => {
      const id = idOf('eipalloc')
      return { physical: id, attributes: { AllocationId: id } }
    }),
    'AWS::EC2::NatGateway': plain('NatGateway', 100_000, ({ SubnetId, AllocationId }) => {
      assertThere(SubnetId, 'Subnet')
      assertThere(AllocationId, 'EIP')
      const id = idOf('nat')
      return { physical: id, attributes: { NatGatewayId: id } }
    }),
    'AWS::EC2::VPCEndpoint': plain('VPCEndpoint', 15_000, ({ VpcId, RouteTableIds }) => {
      assertThere(VpcId, 'VPC')
      for (const table of texts(RouteTableIds)) assertThere(table, 'RouteTable')
      const id = idOf('vpce')
      return { physical: id, attributes: { Id: id } }
    }),
  }
}

function subnet({ subnets }: Inventory, assertVpc: (id: unknown) => void): ResourceModel {
  return {
    takesMs: 8000,
    create({ VpcId, AvailabilityZone }) {
      assertVpc(VpcId)
      const id = idOf('subnet')
      subnets.set(id, text(AvailabilityZone)!)
      return { physical: id, attributes: { SubnetId: id, VpcId: text(VpcId)! } }
    },
    update: () => {},
    delete: ({ physical }) => void subnets.delete(physical),
  }
}
