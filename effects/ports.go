package effects

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// EC2 is what the daemon asks of EC2. The signatures are the SDK's own, so that the real client fits as it is, and so that
// paging and error mapping run in the simulator too.
type EC2 interface {
	DescribeInstances(ctx context.Context, in *ec2.DescribeInstancesInput, opts ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error)
	DescribeSecurityGroups(ctx context.Context, in *ec2.DescribeSecurityGroupsInput, opts ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error)
	AuthorizeSecurityGroupIngress(ctx context.Context, in *ec2.AuthorizeSecurityGroupIngressInput, opts ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupIngressOutput, error)
	RevokeSecurityGroupIngress(ctx context.Context, in *ec2.RevokeSecurityGroupIngressInput, opts ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupIngressOutput, error)
}

// AutoScaling is what the daemon asks of EC2 Auto Scaling.
type AutoScaling interface {
	DescribeAutoScalingGroups(ctx context.Context, in *autoscaling.DescribeAutoScalingGroupsInput, opts ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error)
	DescribeAutoScalingInstances(ctx context.Context, in *autoscaling.DescribeAutoScalingInstancesInput, opts ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingInstancesOutput, error)
	DescribeLifecycleHooks(ctx context.Context, in *autoscaling.DescribeLifecycleHooksInput, opts ...func(*autoscaling.Options)) (*autoscaling.DescribeLifecycleHooksOutput, error)
	CompleteLifecycleAction(ctx context.Context, in *autoscaling.CompleteLifecycleActionInput, opts ...func(*autoscaling.Options)) (*autoscaling.CompleteLifecycleActionOutput, error)
	SetInstanceHealth(ctx context.Context, in *autoscaling.SetInstanceHealthInput, opts ...func(*autoscaling.Options)) (*autoscaling.SetInstanceHealthOutput, error)
	RecordLifecycleActionHeartbeat(ctx context.Context, in *autoscaling.RecordLifecycleActionHeartbeatInput, opts ...func(*autoscaling.Options)) (*autoscaling.RecordLifecycleActionHeartbeatOutput, error)
}

// Region is another region that the cluster spans.
type Region struct {
	Name        string // eu-west-1
	EC2         EC2
	AutoScaling AutoScaling
}

// Route53 is what the daemon asks of Route53.
type Route53 interface {
	GetHostedZone(ctx context.Context, in *route53.GetHostedZoneInput, opts ...func(*route53.Options)) (*route53.GetHostedZoneOutput, error)
	ListHostedZonesByName(ctx context.Context, in *route53.ListHostedZonesByNameInput, opts ...func(*route53.Options)) (*route53.ListHostedZonesByNameOutput, error)
	ListResourceRecordSets(ctx context.Context, in *route53.ListResourceRecordSetsInput, opts ...func(*route53.Options)) (*route53.ListResourceRecordSetsOutput, error)
	ChangeResourceRecordSets(ctx context.Context, in *route53.ChangeResourceRecordSetsInput, opts ...func(*route53.Options)) (*route53.ChangeResourceRecordSetsOutput, error)
}

// S3 is what the daemon asks of S3.
type S3 interface {
	GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	PutObject(ctx context.Context, in *s3.PutObjectInput, opts ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

// IMDS is what the daemon asks of the instance metadata service.
type IMDS interface {
	GetInstanceIdentityDocument(ctx context.Context, in *imds.GetInstanceIdentityDocumentInput, opts ...func(*imds.Options)) (*imds.GetInstanceIdentityDocumentOutput, error)
	GetMetadata(ctx context.Context, in *imds.GetMetadataInput, opts ...func(*imds.Options)) (*imds.GetMetadataOutput, error)
}

// EtcdStatus is what one server answers to Maintenance.Status, locally and without quorum.
type EtcdStatus struct {
	ClusterID, MemberID uint64
	Leader              uint64 // member ID; 0 when it knows none
	Learner             bool
	Applied             uint64 // raft index
	Version             states.Version
	Storage             states.MinorVersion // of its data; unknown before 3.6
	Errors              []string            // active alarms, "etcdserver: no leader"
	Downgrade           states.MinorVersion // that was enabled; unknown when none is, or before 3.6
}

// EtcdMembers is a member list and the cluster it is of.
type EtcdMembers struct {
	ClusterID uint64
	By        uint64          // the member that answered; 0 where it does not say
	Members   []states.Member // sorted by ID; Health, Version and Applied are not filled in
}

// EtcdLock is the state of a lock key.
type EtcdLock struct {
	Owner    string // empty when the key is absent
	Revision int64  // mod revision of the key
}

// EtcdKey is a key as it stands, or as it is to be.
type EtcdKey struct {
	Key, Value string
	Revision   int64 // mod revision; 0 when the key is absent
}

// Etcd is what the daemon asks of etcd over the client port. Endpoints are client URLs; a call is answered by any of them.
// Every error is either one of the sentinels of errors.go, wrapped, or says that the outcome is not known.
type Etcd interface {
	Status(ctx context.Context, endpoint string) (EtcdStatus, error)
	// Members reads the list through quorum.
	Members(ctx context.Context, endpoints []string) (EtcdMembers, error)
	AddMember(ctx context.Context, endpoints []string, peerURL string, learner bool) (uint64, error)
	RemoveMember(ctx context.Context, endpoints []string, id uint64) error
	PromoteMember(ctx context.Context, endpoints []string, id uint64) error
	// MoveLeader must be sent to the leader itself.
	MoveLeader(ctx context.Context, leaderEndpoint string, to uint64) error
	// HoldLock takes the lock for owner when it is free and none of the keys absent is there, or keeps it alive when owner has
	// it, and tells who has it then.
	HoldLock(ctx context.Context, endpoints []string, key, owner string, ttl time.Duration, absent ...string) (EtcdLock, error)
	// ReleaseLock deletes the key if owner has it.
	ReleaseLock(ctx context.Context, endpoints []string, key, owner string) error
	// Keys reads the keys under a prefix through quorum, in order.
	Keys(ctx context.Context, endpoints []string, prefix string) ([]EtcdKey, error)
	// Swap gives a key the value, or deletes it when the value is empty, if it stands at the revision given (0: it is absent)
	// and none of the keys absent is there; else the error is ErrChanged. It returns the new revision.
	Swap(ctx context.Context, endpoints []string, key EtcdKey, absent ...string) (int64, error)
	// Advance has a server commit n entries that change nothing.
	Advance(ctx context.Context, endpoint string, n int) error
	// Forget closes connections to endpoints that are not in the list, so that replaced members do not leak connections.
	Forget(keep []string)
}

// PeerAnswer is what an etcd server answers on its peer port, where neither quorum nor authentication is needed.
type PeerAnswer struct {
	ClusterID      uint64
	ClusterVersion states.MinorVersion // zero while "not_decided"
	Members        []states.Member     // sorted by ID
}

// Peers asks etcd servers on their peer port.
type Peers interface {
	// Ask returns ErrRefused when nothing listens there, and another error for silence.
	Ask(ctx context.Context, address string) (PeerAnswer, error)
}

// Process is the etcd process of this instance. All methods return at once.
type Process interface {
	// Inspect tells the state of the process as it is now.
	Inspect() states.Process
	// Start starts the server; it is an error when one runs.
	Start(start states.StartEtcd) error
	// Stop begins to stop it.
	Stop() error
}

// Disk is the data directory of this instance and the record beside it.
type Disk interface {
	Inspect() states.Disk
	// SetAside renames the data away; nothing is deleted.
	SetAside(why string) error
	// ForgetSetAside deletes what was set aside.
	ForgetSetAside() error
	// RecordStart writes, durably, which server is about to run on the data, and as whom.
	RecordStart(start states.StartEtcd) error
	// RecordJoined notes that the member on this disk has been a voter.
	RecordJoined() error
}
