package sim

import "time"

// The classes, in the order of the table. They are known by their names in plans, so that a new one may stand anywhere.
const (
	AWSError Kind = iota
	AWSThrottle
	AWSLost
	AWSStale
	IMDSError
	EtcdError
	EtcdLost
	DaemonCrash
	SlowAnswer
	LateLaunch
	EtcdCrash
	Terminate
	DaemonRestart
	Reboot
	Corrupt
	LoseDisk
	Resize
	DNSTamper
	Outage
	Kinds // how many there are
)

func init() {
	const minute, hour = 60.0, 3600.0 // between two, on average
	kinds = [Kinds]kind{
		AWSError:    {name: "aws error", ids: "A9", at: atAWS, does: "the call fails, nothing happened", often: 0.5, low: 0.001, high: 0.3, spoil: failsWith(errInternal)},
		AWSThrottle: {name: "aws throttle", ids: "A1", at: atAWS, does: "the call fails with RequestLimitExceeded", often: 0.5, low: 0.001, high: 0.3, spoil: failsWith(errThrottled)},
		AWSLost:     {name: "aws answer lost", ids: "A5", at: atAWS, does: "the call takes effect, and the caller sees a timeout", often: 0.5, low: 0.001, high: 0.3, spoil: answerLost},
		AWSStale:    {name: "aws stale read", ids: "A2", at: atAWS, does: "a read is answered from up to 50 s ago", often: 0.5, low: 0.001, high: 0.3, most: maxStale, draw: omitsNewest, spoil: stale, acts: reads},
		IMDSError:   {name: "imds error", ids: "A8", at: atIMDS, does: "the metadata service fails", often: 0.5, low: 0.00025, high: 0.075, spoil: failsWith(errInternal)},
		EtcdError:   {name: "etcd call fails", ids: "E2", at: atEtcd, does: "a timeout, nothing happened", often: 0.5, low: 0.00025, high: 0.075},
		EtcdLost:    {name: "etcd answer lost", ids: "A5", at: atEtcd, does: "the call takes effect, and the caller sees a timeout", often: 0.5, low: 0.00025, high: 0.075},
		DaemonCrash: {name: "daemon crash", ids: "P1", at: atAWS | atIMDS | atEtcd | atCommand, does: "the daemon dies right before the call or command", often: 0.5, low: 0.0001, high: 0.02},
		SlowAnswer:  {name: "slow answer", ids: "A12", at: atAnswer, does: "an answer takes up to its deadline", often: 1, low: 0.01, high: 0.01, draw: slowly},
		LateLaunch:  {name: "late launch", ids: "I1", at: atBoot, does: "the daemon starts long after its instance", often: 0.5, low: 1, high: 1, most: 10 * time.Minute},

		EtcdCrash:     {name: "etcd crash", ids: "E1", at: onEtcd, does: "etcd crashes", often: 0.4, low: minute, high: 0.5 * hour, happen: (*world).crashEtcd},
		Terminate:     {name: "terminate", ids: "I2", at: onInstance, does: "the group terminates the instance", often: 0.4, low: minute, high: 0.5 * hour, draw: spares, happen: (*world).terminate},
		DaemonRestart: {name: "daemon restart", ids: "P5", at: onDaemon, does: "the daemon gets SIGTERM", often: 0.4, low: minute, high: 0.5 * hour, happen: (*world).restartDaemon},
		Reboot:        {name: "reboot", ids: "I3", at: onInstance, does: "the instance reboots", often: 0.4, low: minute, high: 0.5 * hour, happen: (*world).reboot},
		Corrupt:       {name: "corrupt", ids: "E4", at: onEtcd, does: "the data of a member cannot be read any more", often: 0.4, low: minute, high: 0.5 * hour, draw: spares, happen: (*world).harm},
		LoseDisk:      {name: "lose disk", ids: "E5", at: onInstance, does: "the disk of an instance is empty", often: 0.4, low: minute, high: 0.5 * hour, draw: spares, happen: (*world).harm},
		Resize:        {name: "resize", ids: "I6", at: onGroup, does: "the desired capacity changes", often: 0.4, low: minute, high: 0.5 * hour, draw: drawSize, happen: (*world).resize},
		DNSTamper:     {name: "dns tamper", ids: "D3", at: onZone, does: "someone deletes a record of the cluster", often: 0.4, low: minute, high: 0.5 * hour, draw: drawRecord, happen: (*world).tamperDNS},
		Outage:        {name: "aws outage", ids: "A9", at: onGroup, does: "no AWS call succeeds", often: 0.4, low: minute, high: 0.5 * hour, least: time.Minute, most: 15 * time.Minute, happen: (*world).beginOutage},
	}
}
