import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { GivenPolicy } from '../fake-aws/small/permissions.ts'

/**
 * By type of resource, what CloudFormation calls for it, by whoever makes the stack or by the role that it is passed: to
 * make it as our templates say it, to look at it, to change it and to take it away. S: `handlers` of the types in
 * CloudFormation's registry, less what is called for properties that no template of ours has; J where the registry names
 * none: CodeBuild's project, a certificate of a listener and a cache.
 * @see https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
 */
const byType: Record<string, string[]> = {
  'AWS::CodeBuild::Project': [
    'codebuild:CreateProject BatchGetProjects UpdateProject DeleteProject',
    'iam:PassRole',
  ],
  'AWS::EC2::EIP': ['ec2:AllocateAddress DescribeAddresses CreateTags DisassociateAddress ReleaseAddress'],
  'AWS::EC2::InternetGateway': [
    'ec2:CreateInternetGateway DescribeInternetGateways CreateTags DeleteInternetGateway',
  ],
  'AWS::EC2::NatGateway': ['ec2:CreateNatGateway DescribeNatGateways CreateTags DeleteNatGateway'],
  'AWS::EC2::Route': [
    'ec2:CreateRoute DescribeRouteTables DescribeNetworkInterfaces ReplaceRoute DeleteRoute',
  ],
  'AWS::EC2::RouteTable': ['ec2:CreateRouteTable DescribeRouteTables CreateTags DeleteTags DeleteRouteTable'],
  'AWS::EC2::SecurityGroup': [
    'ec2:CreateSecurityGroup DescribeSecurityGroups AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress',
    'ec2:RevokeSecurityGroupIngress RevokeSecurityGroupEgress CreateTags DeleteTags DescribeInstances DeleteSecurityGroup',
  ],
  'AWS::EC2::SecurityGroupIngress': [
    'ec2:AuthorizeSecurityGroupIngress DescribeSecurityGroupRules DescribeSecurityGroups RevokeSecurityGroupIngress',
  ],
  'AWS::EC2::Subnet': [
    'ec2:CreateSubnet DescribeSubnets DescribeNetworkAcls ModifySubnetAttribute CreateTags DeleteTags DeleteSubnet',
  ],
  'AWS::EC2::SubnetRouteTableAssociation': [
    'ec2:AssociateRouteTable ReplaceRouteTableAssociation DescribeRouteTables DescribeSubnets DisassociateRouteTable',
  ],
  'AWS::EC2::VPC': [
    'ec2:CreateVpc DescribeVpcs DescribeVpcAttribute ModifyVpcAttribute CreateTags DeleteTags DeleteVpc',
    'ec2:DescribeSecurityGroups DescribeNetworkAcls',
  ],
  'AWS::EC2::VPCEndpoint': [
    'ec2:CreateVpcEndpoint DescribeVpcEndpoints DescribeSubnets DescribeSecurityGroups ModifyVpcEndpoint CreateTags',
    'ec2:DeleteVpcEndpoints',
  ],
  'AWS::EC2::VPCGatewayAttachment': [
    'ec2:AttachInternetGateway DescribeInternetGateways DescribeVpnGateways DetachInternetGateway',
  ],
  'AWS::ECR::Repository': [
    'ecr:CreateRepository DescribeRepositories GetLifecyclePolicy GetRepositoryPolicy ListTagsForResource',
    'ecr:TagResource UntagResource DeleteRepository',
  ],
  'AWS::ECS::Cluster': [
    'ecs:CreateCluster DescribeClusters PutClusterCapacityProviders UpdateCluster TagResource UntagResource',
    'ecs:ListTagsForResource DeleteCluster',
    'iam:CreateServiceLinkedRole',
  ],
  'AWS::ECS::Service': [
    'ecs:CreateService DescribeServices ListServiceDeployments DescribeServiceDeployments UpdateService',
    'ecs:TagResource UntagResource ListTagsForResource DeleteService',
    'iam:PassRole',
  ],
  'AWS::ECS::TaskDefinition': [
    'ecs:RegisterTaskDefinition DescribeTaskDefinition TagResource UntagResource ListTagsForResource',
    'ecs:DeregisterTaskDefinition',
    'iam:GetRole PassRole',
  ],
  'AWS::EFS::FileSystem': [
    'elasticfilesystem:CreateFileSystem DescribeFileSystems DescribeReplicationConfigurations DescribeBackupPolicy',
    'elasticfilesystem:DescribeLifecycleConfiguration PutFileSystemPolicy DescribeFileSystemPolicy',
    'elasticfilesystem:UpdateFileSystem TagResource UntagResource ListTagsForResource DeleteFileSystem',
    'kms:DescribeKey GenerateDataKeyWithoutPlaintext CreateGrant',
    'iam:CreateServiceLinkedRole',
  ],
  'AWS::EFS::MountTarget': [
    'elasticfilesystem:CreateMountTarget DescribeMountTargets DescribeMountTargetSecurityGroups',
    'elasticfilesystem:ModifyMountTargetSecurityGroups DeleteMountTarget',
    // D: CreateMountTarget, of its interface.
    'ec2:CreateNetworkInterface DescribeSubnets DescribeNetworkInterfaces DeleteNetworkInterface',
  ],
  'AWS::ElastiCache::CacheCluster': [
    'elasticache:CreateCacheCluster DescribeCacheClusters ModifyCacheCluster AddTagsToResource DeleteCacheCluster',
    'iam:CreateServiceLinkedRole',
  ],
  'AWS::ElastiCache::ParameterGroup': [
    'elasticache:CreateCacheParameterGroup DescribeCacheParameterGroups DescribeCacheParameters',
    'elasticache:DescribeEngineDefaultParameters ModifyCacheParameterGroup AddTagsToResource RemoveTagsFromResource',
    'elasticache:ListTagsForResource DeleteCacheParameterGroup',
  ],
  'AWS::ElastiCache::ReplicationGroup': [
    'elasticache:CreateReplicationGroup DescribeReplicationGroups ModifyReplicationGroup AddTagsToResource',
    'elasticache:RemoveTagsFromResource ListTagsForResource DescribeCacheClusters CreateSnapshot DeleteReplicationGroup',
    'kms:CreateGrant DescribeKey Encrypt Decrypt GenerateDataKey',
    'iam:CreateServiceLinkedRole',
  ],
  'AWS::ElastiCache::SubnetGroup': [
    'elasticache:CreateCacheSubnetGroup DescribeCacheSubnetGroups ModifyCacheSubnetGroup AddTagsToResource',
    'elasticache:RemoveTagsFromResource ListTagsForResource DeleteCacheSubnetGroup',
  ],
  'AWS::ElastiCache::User': [
    'elasticache:CreateUser DescribeUsers ModifyUser AddTagsToResource RemoveTagsFromResource ListTagsForResource',
    'elasticache:DeleteUser',
  ],
  'AWS::ElastiCache::UserGroup': [
    'elasticache:CreateUserGroup DescribeUserGroups ModifyUserGroup AddTagsToResource RemoveTagsFromResource',
    'elasticache:ListTagsForResource DeleteUserGroup ModifyReplicationGroup',
  ],
  'AWS::ElasticLoadBalancingV2::Listener': [
    'elasticloadbalancing:CreateListener DescribeListeners DescribeListenerAttributes ModifyListener',
    'elasticloadbalancing:ModifyListenerAttributes DeleteListener',
  ],
  'AWS::ElasticLoadBalancingV2::ListenerCertificate': [
    'elasticloadbalancing:AddListenerCertificates DescribeListenerCertificates RemoveListenerCertificates',
  ],
  'AWS::ElasticLoadBalancingV2::ListenerRule': [
    'elasticloadbalancing:CreateRule DescribeRules ModifyRule SetRulePriorities DeleteRule',
  ],
  'AWS::ElasticLoadBalancingV2::LoadBalancer': [
    'elasticloadbalancing:CreateLoadBalancer DescribeLoadBalancers DescribeLoadBalancerAttributes DescribeTags',
    'elasticloadbalancing:DescribeCapacityReservation ModifyLoadBalancerAttributes SetSubnets SetSecurityGroups',
    'elasticloadbalancing:AddTags RemoveTags DeleteLoadBalancer',
    // D: "Elastic Load Balancing API permissions"; the last by what it answers without.
    'ec2:DescribeAccountAttributes DescribeAddresses DescribeInternetGateways DescribeSecurityGroups DescribeSubnets',
    'ec2:DescribeVpcs DescribeIpamPools GetSecurityGroupsForVpc',
  ],
  'AWS::ElasticLoadBalancingV2::TargetGroup': [
    'elasticloadbalancing:CreateTargetGroup DescribeTargetGroups DescribeTargetGroupAttributes DescribeTargetHealth',
    'elasticloadbalancing:ModifyTargetGroup ModifyTargetGroupAttributes AddTags RemoveTags DeleteTargetGroup',
  ],
  'AWS::Events::Rule': ['events:PutRule DescribeRule PutTargets ListTargetsByRule RemoveTargets DeleteRule'],
  'AWS::IAM::ManagedPolicy': [
    'iam:CreatePolicy GetPolicy GetPolicyVersion ListEntitiesForPolicy ListPolicyVersions CreatePolicyVersion',
    'iam:DeletePolicyVersion DeletePolicy',
  ],
  'AWS::IAM::Role': [
    'iam:CreateRole GetRole PutRolePolicy GetRolePolicy ListRolePolicies ListAttachedRolePolicies TagRole UntagRole',
    'iam:UpdateRole UpdateAssumeRolePolicy PutRolePermissionsBoundary DeleteRolePolicy DeleteRole',
  ],
  'AWS::KMS::Alias': ['kms:CreateAlias ListAliases UpdateAlias DeleteAlias'],
  'AWS::KMS::Key': [
    'kms:CreateKey DescribeKey GetKeyPolicy PutKeyPolicy EnableKeyRotation GetKeyRotationStatus ListResourceTags',
    'kms:TagResource UntagResource UpdateKeyDescription ScheduleKeyDeletion',
  ],
  'AWS::Logs::LogGroup': [
    'logs:CreateLogGroup DescribeLogGroups PutRetentionPolicy TagResource UntagResource ListTagsForResource',
    'logs:GetDataProtectionPolicy DescribeIndexPolicies DeleteLogGroup',
  ],
  'AWS::Logs::ResourcePolicy': ['logs:PutResourcePolicy DescribeResourcePolicies DeleteResourcePolicy'],
  'AWS::RDS::DBInstance': [
    'rds:CreateDBInstance DescribeDBInstances DescribeDBClusters DescribeDBSnapshots DescribeEvents ModifyDBInstance',
    'rds:DescribeDBEngineVersions DescribeDBParameterGroups RebootDBInstance AddTagsToResource RemoveTagsFromResource',
    'rds:CreateDBSnapshot DeleteDBInstance',
    'ec2:DescribeAccountAttributes DescribeAvailabilityZones DescribeInternetGateways DescribeSecurityGroups',
    'ec2:DescribeSubnets DescribeVpcAttribute DescribeVpcs',
    'kms:CreateGrant DescribeKey',
    'iam:CreateServiceLinkedRole',
  ],
  'AWS::RDS::DBParameterGroup': [
    'rds:CreateDBParameterGroup DescribeDBParameterGroups DescribeDBParameters DescribeEngineDefaultParameters',
    'rds:ModifyDBParameterGroup ResetDBParameterGroup AddTagsToResource RemoveTagsFromResource ListTagsForResource',
    'rds:DeleteDBParameterGroup',
  ],
  'AWS::RDS::DBSubnetGroup': [
    'rds:CreateDBSubnetGroup DescribeDBSubnetGroups ModifyDBSubnetGroup AddTagsToResource RemoveTagsFromResource',
    'rds:ListTagsForResource DeleteDBSubnetGroup',
  ],
  'AWS::Route53::HostedZone': [
    'route53:CreateHostedZone GetHostedZone ListTagsForResource ListQueryLoggingConfigs ChangeTagsForResource GetChange',
    'route53:AssociateVPCWithHostedZone UpdateHostedZoneComment DeleteHostedZone',
    'ec2:DescribeVpcs',
  ],
  'AWS::S3::Bucket': [
    's3:CreateBucket ListBucket PutBucketTagging PutEncryptionConfiguration GetEncryptionConfiguration',
    's3:PutLifecycleConfiguration PutBucketPublicAccessBlock GetBucketPublicAccessBlock GetBucketVersioning DeleteBucket',
  ],
  'AWS::S3::BucketPolicy': ['s3:PutBucketPolicy GetBucketPolicy DeleteBucketPolicy'],
  'AWS::SecretsManager::Secret': [
    'secretsmanager:CreateSecret DescribeSecret GetSecretValue GetRandomPassword UpdateSecret TagResource DeleteSecret',
    'kms:GenerateDataKey Decrypt',
  ],
  'AWS::ServiceDiscovery::PrivateDnsNamespace': [
    'servicediscovery:CreatePrivateDnsNamespace GetOperation GetNamespace UpdatePrivateDnsNamespace TagResource',
    'servicediscovery:UntagResource ListTagsForResource DeleteNamespace',
    // The last is D: of the zone that it is.
    'route53:CreateHostedZone GetHostedZone ListHostedZonesByName ChangeResourceRecordSets DeleteHostedZone',
    'ec2:DescribeVpcs DescribeRegions',
  ],
}

const golden = join(import.meta.dirname, '..', 'golden', 'aws')

/** What CloudFormation calls for the stacks whose golden templates match, as actions of IAM. @throws for a type that is not listed */
export async function stackCalls(pattern: string): Promise<string[]> {
  const files = await Array.fromAsync(glob(pattern, { cwd: golden }))
  const texts = await Promise.all(files.map(async (file) => await readFile(join(golden, file), 'utf8')))
  const types = texts.flatMap((text) => {
    const { Resources } = JSON.parse(text) as { Resources: Record<string, { Type: string }> }
    return Object.values(Resources).map(({ Type }) => Type)
  })
  return [...new Set([...new Set(types)].flatMap((type) => actionsOf(type)))]
}

function actionsOf(type: string): string[] {
  const lines = byType[type]
  if (!lines) throw new Error(`what CloudFormation calls for ${type} is not listed`)
  return lines.flatMap((line) => {
    const [service, names = ''] = line.split(':')
    return names.split(' ').map((name) => `${service}:${name}`)
  })
}

/** A policy as it would be were every statement on everything: for calls of which only the name is known here. */
export function anywhere({ Statement }: GivenPolicy): GivenPolicy {
  return { Statement: Statement.map((each) => ({ ...each, Resource: ['*'] })) }
}
