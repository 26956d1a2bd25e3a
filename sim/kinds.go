package sim

import "time"

// The classes, in the order of the table. They are known by their names in plans, so that a new one may stand anywhere.
const (
	// Answers to calls.
	AWSError Kind = iota
	AWSThrottle
	AWSLost
	AWSLate
	AWSHangs
	AWSStale
	IMDSError
	EtcdError
	EtcdLost
	EtcdHangs
	SlowAnswer

	// Daemons.
	DaemonCrash
	CrashAfter
	PauseAtCall
	DaemonPause
	EndAtCall
	DaemonRestart
	KilledShutdown
	RecordLost
	OlderWanted
	TwinDaemon
	ClockJump
	ClockDrift

	// Instances.
	LateLaunch
	Terminate
	SpotNotice
	Warned
	Reboot
	RebootAll
	StopStart
	LoseDisk
	FailDisk
	StallDisk
	HealthFlap
	MetadataDown
	Disguise
	CallsRefused
	CutFromAWS

	// etcd servers.
	EtcdCrash
	CrashLoop
	UnfitServer
	Hang
	HangMost
	Stall
	Lag
	SlowStart
	SlowStop
	SlowCatchUp
	Corrupt
	Damage
	WrongVolume
	Canary
	DowngradeEnabled
	Alarm
	Distrust
	DistrustAll
	Protected
	LeaderFlap
	MemberRemoved
	LockDeleted

	// The network.
	Partition
	LinkCut
	CutAZ
	CutRegion

	// The group.
	Resize
	ResizeFar
	Rebalance
	GroupRefresh
	Detached
	Parked
	LaunchSlowly
	Refresh
	LoseAZ
	AllEnd
	HookCut
	LaunchHook
	ReuseAddresses
	NoCapacity
	BootAndDie
	ForeignGroup
	Suspended

	// AWS.
	Outage
	ServiceOutage
	RegionOutage
	NoisyNeighbour
	Replicas
	ShortPages
	NewOdd
	Shuffled
	SlowMetadata
	ActionDenied

	// The hosted zone.
	DNSTamper
	DNSOverwrite
	ZoneBusy
	ZoneSlow
	ZoneLost
	TwinZone
	SyncDelay

	Kinds // how many there are
)

func init() {
	const minute, hour = 60.0, 3600.0 // between two, on average
	kinds = [Kinds]kind{
		// Answers to calls.
		AWSError:    {name: "aws error", ids: "A9", at: atAWS, does: "the call fails, nothing happened", often: 0.35, low: 0.001, high: 0.3, spoil: failsWith(errInternal)},
		AWSThrottle: {name: "aws throttle", ids: "A1", at: atAWS, does: "the call fails with RequestLimitExceeded", often: 0.35, low: 0.001, high: 0.3, spoil: failsWith(errThrottled)},
		AWSLost:     {name: "aws answer lost", ids: "A5", at: atAWS, does: "the call takes effect, and the caller sees a timeout", often: 0.35, low: 0.001, high: 0.3, spoil: answerLost},
		AWSLate:     {name: "aws effect late", ids: "A6", at: atAWS, does: "the caller sees a timeout, and the change takes effect up to 30 s later", often: 0.15, low: 0.01, high: 0.3, most: 30 * time.Second, acts: changesOfAWS, spoil: late},
		AWSHangs:    {name: "aws call hangs", ids: "A12", at: atAWS, does: "the call ends with its deadline, whether it took effect or not", often: 0.15, low: 0.0005, high: 0.05, draw: drawApplied, spoil: hangs},
		AWSStale:    {name: "aws stale read", ids: "A2, D2", at: atAWS, does: "a read is answered from up to 50 s ago; one in five leaves the newest instance out", often: 0.35, low: 0.001, high: 0.3, most: maxStale, acts: reads, draw: omitsNewest, spoil: stale, needs: []Kind{Terminate}},
		IMDSError:   {name: "imds error", ids: "A8", at: atIMDS, does: "the metadata service fails", often: 0.35, low: 0.00025, high: 0.075, spoil: failsWith(errInternal)},
		EtcdError:   {name: "etcd call fails", ids: "E2", at: atEtcd, does: "the call ends in a timeout, nothing happened", often: 0.35, low: 0.00025, high: 0.075},
		EtcdLost:    {name: "etcd answer lost", ids: "A5", at: atEtcd, does: "the call takes effect, and the caller sees a timeout", often: 0.35, low: 0.00025, high: 0.075},
		EtcdHangs:   {name: "etcd call hangs", ids: "A12", at: atEtcd, does: "the call ends with its deadline, whether it took effect or not", often: 0.15, low: 0.0002, high: 0.02, draw: drawApplied},
		SlowAnswer:  {name: "slow answer", ids: "A6, A12", at: atAnswer, does: "an answer takes up to its deadline", often: 1, low: 0.01, high: 0.01, draw: slowly},

		// Daemons.
		DaemonCrash:    {name: "daemon crash", ids: "P1, E13", at: atAWS | atIMDS | atEtcd | atCommand, does: "the daemon dies right before the call or command", often: 0.35, low: 0.0001, high: 0.02},
		CrashAfter:     {name: "daemon crash after", ids: "P1, A5, P6", at: atAWS | atCommand, does: "the daemon dies after the effect of a command, before it learns of it", often: 0.2, low: 0.001, high: 0.2, acts: commands},
		PauseAtCall:    {name: "pause at call", ids: "P3, E11", at: atAWS | atEtcd | atCommand, does: "the daemon is stopped in the middle of what it does, and goes on with it later", often: 0.15, low: 0.0001, high: 0.02, most: 30 * time.Minute, acts: pausable},
		DaemonPause:    {name: "daemon pause", ids: "P3, E11", at: onDaemon, does: "the daemon is stopped; what it has sent takes effect, and answers wait for it", often: 0.15, low: minute, high: 0.5 * hour, most: 30 * time.Minute, happen: (*world).pause},
		EndAtCall:      {name: "end at call", ids: "I2", at: atAWS | atEtcd | atCommand, does: "the group terminates the instance, and the daemon dies right before the call or command", often: 0.1, low: 0.00001, high: 0.001, draw: spares},
		DaemonRestart:  {name: "daemon restart", ids: "P5", at: onDaemon, does: "the daemon gets SIGTERM", often: 0.3, low: minute, high: 0.5 * hour, happen: (*world).restartDaemon},
		KilledShutdown: {name: "shutdown cut short", ids: "P5", at: onDaemon, does: "the daemon gets SIGTERM, and SIGKILL before it is done", often: 0.15, low: minute, high: 0.5 * hour, most: 90 * time.Second, happen: (*world).cutShutdown},
		RecordLost:     {name: "record lost", ids: "P2", at: onDaemon, does: "the daemon dies and starts beside a record that is older, or not there, or does not say that the member has joined; etcd may have crashed too", often: 0.15, low: minute, high: 0.5 * hour, draw: drawRecordLoss, happen: (*world).loseRecord},
		OlderWanted:    {name: "older minor wanted", ids: "E17, P7", at: onDaemon, does: "the configuration of a daemon is rolled back to the older minor, and it restarts; later it is put right", often: 0.1, low: minute, high: 0.5 * hour, most: 15 * time.Minute, happen: (*world).wantOlder},
		TwinDaemon:     {name: "second daemon", ids: "P4", at: onDaemon, does: "a second daemon runs on the instance for a while", often: 0.1, low: minute, high: 0.5 * hour, most: 10 * time.Minute, happen: (*world).addTwin},
		ClockJump:      {name: "clock jump", ids: "E10", at: onDaemon, does: "the daemon starts again with a wall clock up to an hour off", often: 0.15, low: minute, high: 0.5 * hour, most: time.Hour, draw: drawDirection, happen: (*world).jumpClock},
		ClockDrift:     {name: "clock drift", ids: "E10", at: onDaemon, does: "the clock of an instance goes up to a tenth too fast or too slow", often: 0.15, low: minute, high: 0.5 * hour, most: 30 * time.Minute, draw: drawDrift, happen: (*world).driftClock},

		// Instances.
		LateLaunch:   {name: "late launch", ids: "I1", at: atBoot, does: "the daemon starts long after its instance", often: 0.35, low: 1, high: 1, most: 10 * time.Minute},
		Terminate:    {name: "terminate", ids: "I2", at: onInstance, does: "the group terminates the instance", often: 0.35, low: minute, high: 0.5 * hour, draw: spares, happen: (*world).terminate},
		SpotNotice:   {name: "spot notice", ids: "I2", at: onInstance, does: "EC2 takes the instance back, with two minutes of notice", often: 0.15, low: minute, high: 0.5 * hour, draw: spares, happen: (*world).spotNotice},
		Warned:       {name: "warned", ids: "I2", at: onInstance, does: "AWS recommends to rebalance the instance, or announces its maintenance, which it puts off in the end", often: 0.15, low: minute, high: 0.5 * hour, most: 30 * time.Minute, draw: oneOf("rebalance", "system-reboot", "instance-retirement"), happen: (*world).warn},
		Reboot:       {name: "reboot", ids: "I3", at: onInstance, does: "the instance reboots", often: 0.3, low: minute, high: 0.5 * hour, happen: (*world).reboot},
		RebootAll:    {name: "reboot of all", ids: "I3", at: onGroup, does: "all instances reboot at once", often: 0.1, low: 5 * minute, high: hour, happen: (*world).rebootAll},
		StopStart:    {name: "stop and start", ids: "I3", at: onInstance, does: "the instance is stopped and started again; its disk may be lost", often: 0.15, low: minute, high: 0.5 * hour, most: 10 * time.Minute, draw: drawStop, happen: (*world).stopInstance},
		LoseDisk:     {name: "lose disk", ids: "E5", at: onInstance, does: "the disk of the instance is empty", often: 0.35, low: minute, high: 0.5 * hour, draw: spares, happen: (*world).harm},
		FailDisk:     {name: "disk fails", ids: "E5", at: onInstance, does: "the disk is full or read-only for a while", often: 0.15, low: minute, high: 0.5 * hour, most: 15 * time.Minute, draw: oneOf("full", "read-only"), happen: (*world).failDisk},
		StallDisk:    {name: "disk stalls", ids: "E5", at: onInstance, does: "nothing that is written comes to an end: etcd tells what it told before, and cannot be stopped", often: 0.15, low: minute, high: 0.5 * hour, least: time.Second, most: 15 * time.Minute, happen: lastingAt(stallDisk)},
		HealthFlap:   {name: "health flap", ids: "I4", at: onInstance, does: "the status check of an instance that is well fails, and the group replaces it", often: 0.15, low: minute, high: 0.5 * hour, most: 2 * time.Minute, draw: spares, happen: (*world).failHealth},
		MetadataDown: {name: "metadata down", ids: "A8", at: onInstance, does: "the metadata service is silent, refuses, or names nobody, for a while", often: 0.15, low: minute, high: 0.5 * hour, most: 15 * time.Minute, draw: oneOf("silent", "token refused", "off", "empty identity", "no address"), happen: trouble(spoilMetadata)},
		Disguise:     {name: "odd description", ids: "A3, A10, A11", at: onInstance, does: "AWS does not list the instance, or lists it without tags or address, or in an unknown state, for a while", often: 0.15, low: minute, high: 0.5 * hour, most: 10 * time.Minute, draw: oneOf("unlisted", "ungrouped", "no group tag", "no tags", "no address", "two interfaces", "unknown state", "unknown lifecycle", "frozen"), happen: trouble(disguise)},
		CallsRefused: {name: "calls refused", ids: "A7", at: onInstance, does: "AWS refuses the calls of the instance, for want of rights, of fresh credentials or of the right time", often: 0.15, low: minute, high: 0.5 * hour, most: 15 * time.Minute, draw: oneOf("access denied", "credentials expired", "clock skew"), happen: trouble(refuse)},
		CutFromAWS:   {name: "cut from aws", ids: "E8", at: onInstance, does: "no AWS call of the instance is answered", often: 0.15, low: minute, high: 0.5 * hour, most: 30 * time.Minute, happen: trouble(cutFromAWS)},

		// etcd servers.
		EtcdCrash:        {name: "etcd crash", ids: "E1", at: onEtcd, does: "etcd crashes", often: 0.35, low: minute, high: 0.5 * hour, happen: (*world).crashEtcd},
		CrashLoop:        {name: "etcd crash loop", ids: "E1", at: onEtcd, does: "etcd crashes, and again at each of its next starts", often: 0.15, low: minute, high: 0.5 * hour, draw: drawTimes, happen: (*world).crashLoop},
		UnfitServer:      {name: "server unfit", ids: "E1, E17", at: onEtcd, does: "servers of the newest minor end as soon as they are started on the instance", often: 0.2, low: minute, high: 0.5 * hour, least: time.Minute, most: 30 * time.Minute, happen: lastingAt(unfit)},
		Hang:             {name: "etcd hangs", ids: "E2, E18", at: onEtcd, does: "etcd accepts connections and does nothing else", often: 0.15, low: minute, high: 0.5 * hour, most: 15 * time.Minute, happen: lastingAt(hang)},
		HangMost:         {name: "quorum lost", ids: "E6", at: onGroup, does: "a majority of the servers hang", often: 0.1, low: 5 * minute, high: hour, most: 10 * time.Minute, happen: (*world).hangMost},
		Stall:            {name: "etcd stalls", ids: "E18", at: onEtcd, does: "the client port answers nothing, as during defragmentation", often: 0.15, low: minute, high: 0.5 * hour, least: time.Second, most: time.Minute, happen: lastingAt(stall)},
		Lag:              {name: "etcd lags", ids: "E9", at: onEtcd, does: "the server hears its leader and applies nothing", often: 0.15, low: minute, high: 0.5 * hour, most: 10 * time.Minute, happen: lastingAt(lag)},
		SlowStart:        {name: "slow start", ids: "E3", at: onEtcd, does: "etcd crashes, and its next start takes long", often: 0.15, low: minute, high: 0.5 * hour, least: time.Second, most: 10 * time.Minute, happen: (*world).slowStart},
		SlowStop:         {name: "slow stop", ids: "P6", at: onEtcd, does: "etcd takes up to a minute to end", often: 0.15, low: minute, high: 0.5 * hour, most: 30 * time.Minute, draw: drawSeconds, happen: (*world).slowStop, needs: []Kind{DaemonRestart}},
		SlowCatchUp:      {name: "slow catch-up", ids: "E15", at: onEtcd, does: "a new member takes up to a minute to fetch its data", often: 0.15, low: minute, high: 0.5 * hour, most: 30 * time.Minute, draw: drawSeconds, happen: (*world).slowCatchUp, needs: []Kind{Terminate}},
		Corrupt:          {name: "corrupt", ids: "E4", at: onEtcd, does: "the data of a member cannot be read any more", often: 0.35, low: minute, high: 0.5 * hour, draw: spares, happen: (*world).harm},
		Damage:           {name: "data damaged", ids: "E4", at: onEtcd, does: "the data directory lacks its log, or its database", often: 0.15, low: minute, high: 0.5 * hour, draw: drawDamage, happen: (*world).harm},
		WrongVolume:      {name: "wrong volume", ids: "E4", at: onEtcd, does: "the data of another instance is on the disk", often: 0.1, low: 5 * minute, high: hour, draw: drawVolume, happen: (*world).wrongVolume},
		Canary:           {name: "canary", at: onGroup, does: "a write that etcd has acknowledged is lost, and no daemon can help it: whoever is to notice must", often: 0, low: minute, high: 0.5 * hour, happen: (*world).killCanary},
		DowngradeEnabled: {name: "downgrade enabled", ids: "E17", at: onGroup, does: "an operator enables a downgrade of the cluster, and cancels it later", often: 0.05, low: 5 * minute, high: hour, most: 10 * time.Minute, happen: (*world).enableDowngrade},
		Alarm:            {name: "alarm", ids: "E5", at: onEtcd, does: "the cluster refuses writes, as over its quota", often: 0.1, low: 5 * minute, high: 0.5 * hour, most: 10 * time.Minute, draw: oneOf("NOSPACE", "CORRUPT"), happen: (*world).raise},
		Distrust:         {name: "certificate expired", ids: "E19", at: onEtcd, does: "TLS to and from one server fails", often: 0.1, low: minute, high: 0.5 * hour, most: 15 * time.Minute, happen: lastingAt(distrust)},
		DistrustAll:      {name: "certificates expired", ids: "E19", at: onGroup, does: "TLS fails everywhere", often: 0.05, low: 5 * minute, high: hour, most: 10 * time.Minute, happen: (*world).distrustAll},
		Protected:        {name: "authentication on", ids: "E19", at: onGroup, does: "etcd demands a user, which the daemon does not have", often: 0.05, low: 5 * minute, high: hour, most: 10 * time.Minute, happen: (*world).protect},
		LeaderFlap:       {name: "leader flaps", ids: "E7, E12", at: onGroup, does: "another leader every 1 to 10 s", often: 0.15, low: minute, high: 0.5 * hour, most: 10 * time.Minute, draw: drawFlap, happen: (*world).flap},
		MemberRemoved:    {name: "member removed by hand", ids: "P8", at: onEtcd, does: "an operator removes the member of an instance that is well", often: 0.1, low: 5 * minute, high: 0.5 * hour, draw: drawOther, happen: (*world).removeByHand},
		LockDeleted:      {name: "lock deleted", ids: "P8", at: atCommand, does: "an operator deletes the key of the join lock, right before a change of membership", often: 0.15, low: 0.01, high: 0.5, acts: []string{"add member", "promote member"}, needs: []Kind{Terminate}},

		// The network.
		Partition: {name: "partition", ids: "E8", at: onNetwork, does: "an instance is cut from the others: wholly, one way, or on one port", often: 0.2, low: minute, high: 0.5 * hour, most: 15 * time.Minute, draw: drawPartition, happen: (*world).partition},
		LinkCut:   {name: "link cut", ids: "E8", at: onNetwork, does: "two instances are cut from each other", often: 0.15, low: minute, high: 0.5 * hour, most: 15 * time.Minute, draw: drawLink, happen: (*world).partition},
		CutAZ:     {name: "zone cut", ids: "E8", at: onNetwork, does: "an availability zone is cut from the others", often: 0.1, low: minute, high: 0.5 * hour, most: 15 * time.Minute, happen: (*world).cutAZ},
		CutRegion: {name: "region cut", ids: "E8", at: onNetwork, does: "the regions are cut from each other", often: 0.2, low: minute, high: 0.5 * hour, most: 15 * time.Minute, draw: drawRegion, happen: (*world).cutRegion},

		// The group.
		Resize:         {name: "resize", ids: "I6", at: onGroup, does: "the desired capacity changes, to between 2 and 5", often: 0.35, low: minute, high: 0.5 * hour, draw: drawSize, happen: (*world).resize},
		ResizeFar:      {name: "resize far", ids: "I6", at: onGroup, does: "the desired capacity changes to 1, 2 or 7", often: 0.1, low: 5 * minute, high: hour, draw: drawFar, happen: (*world).resize},
		Rebalance:      {name: "rebalance", ids: "I5", at: onInstance, does: "the group launches an instance too many, and then terminates one of the zone that has most", often: 0.1, low: 5 * minute, high: hour, draw: spares, happen: (*world).rebalance},
		GroupRefresh:   {name: "group refresh", ids: "I7", at: onGroup, does: "Auto Scaling replaces all instances, as many at a time as it holds for healthy", often: 0.1, low: 5 * minute, high: hour, draw: drawSeconds, happen: (*world).groupRefresh},
		Detached:       {name: "detached", ids: "P8", at: onInstance, does: "an operator takes the instance out of the group, and ends it some minutes later", often: 0.1, low: 5 * minute, high: hour, most: 15 * time.Minute, draw: spares, happen: (*world).detach},
		Parked:         {name: "standby", ids: "P8", at: onInstance, does: "an operator parks the instance, and takes it back later", often: 0.1, low: 5 * minute, high: hour, most: 15 * time.Minute, happen: (*world).park},
		LaunchSlowly:   {name: "slow launches", ids: "I1", at: onGroup, does: "instances that are launched are pending for up to a minute", often: 0.1, low: minute, high: 0.5 * hour, most: 20 * time.Minute, draw: drawSeconds, happen: trouble(launchSlowly), needs: []Kind{Terminate}},
		Refresh:        {name: "instance refresh", ids: "I7", at: onGroup, does: "all instances are replaced one after the other, at a pace of its own", often: 0.1, low: 5 * minute, high: hour, least: time.Minute, most: 10 * time.Minute, draw: drawPace, happen: (*world).refresh},
		LoseAZ:         {name: "zone lost", ids: "I7", at: onInstance, does: "all instances of an availability zone end, and it has none to give for a while", often: 0.1, low: 5 * minute, high: hour, most: 15 * time.Minute, draw: spares, happen: (*world).loseAZ},
		AllEnd:         {name: "all end", ids: "I7", at: onGroup, does: "all instances end with their data, one after the other, and others come in their place", often: 0.05, low: 5 * minute, high: hour, least: time.Second, most: 15 * time.Minute, happen: (*world).endAll},
		HookCut:        {name: "hook cut short", ids: "I8", at: atEtcd | atCommand, does: "the lifecycle action of an instance that leaves is completed before it has left", often: 0.15, low: 0.001, high: 0.1, draw: leaving, needs: []Kind{Terminate}},
		LaunchHook:     {name: "launch hook", ids: "I8", at: onGroup, does: "new instances wait for a minute before they are in service", often: 0.05, low: 5 * minute, high: hour, draw: oneOf("CONTINUE"), happen: (*world).launchHook, needs: []Kind{Terminate}},
		ReuseAddresses: {name: "addresses reused", ids: "I9", at: onGroup, does: "new instances get the addresses of those that ended last", often: 0.15, low: minute, high: 0.5 * hour, least: time.Minute, most: 30 * time.Minute, happen: trouble(reuseAddresses), needs: []Kind{Terminate}},
		NoCapacity:     {name: "no capacity", ids: "I10", at: onGroup, does: "EC2 has no instances to give", often: 0.1, low: minute, high: 0.5 * hour, most: 20 * time.Minute, happen: trouble(noCapacity), needs: []Kind{Terminate}},
		BootAndDie:     {name: "boot and die", ids: "I10", at: onGroup, does: "instances that are launched end within a minute", often: 0.1, low: 5 * minute, high: hour, most: 10 * time.Minute, draw: drawSeconds, happen: trouble(bootAndDie), needs: []Kind{Terminate}},
		ForeignGroup:   {name: "foreign group", ids: "I11", at: onGroup, does: "another group has a name that begins the same, and instances", often: 0.05, low: minute, high: 0.5 * hour, happen: (*world).foreignGroup},
		Suspended:      {name: "process suspended", ids: "I12", at: onGroup, does: "the group does not launch, or does not terminate", often: 0.1, low: minute, high: 0.5 * hour, most: 20 * time.Minute, draw: oneOf("Launch", "Terminate"), happen: (*world).suspendProcess, needs: []Kind{Terminate}},

		// AWS.
		Outage:         {name: "aws outage", ids: "A9", at: onGroup, does: "no AWS call succeeds", often: 0.3, low: minute, high: 0.5 * hour, least: time.Minute, most: 15 * time.Minute, happen: (*world).beginOutage},
		ServiceOutage:  {name: "service outage", ids: "A9", at: onGroup, does: "one service of AWS is not available", often: 0.15, low: minute, high: 0.5 * hour, most: 30 * time.Minute, draw: oneOf("ec2", "autoscaling", "route53", "s3"), happen: trouble(serviceOutage)},
		RegionOutage:   {name: "region outage", ids: "A9", at: onGroup, does: "EC2 and Auto Scaling of one region answer nobody", often: 0.3, low: minute, high: 0.5 * hour, most: 30 * time.Minute, draw: drawRegion, happen: trouble(silenceRegion)},
		NoisyNeighbour: {name: "noisy neighbour", ids: "A1", at: onGroup, does: "the token buckets of the account are drained by others", often: 0.15, low: minute, high: 0.5 * hour, most: 30 * time.Minute, draw: drawShare, happen: trouble(limit)},
		Replicas:       {name: "replicas", ids: "A2, D2", at: onGroup, does: "reads of a service are served by replicas that lag up to 50 s, in turns", often: 0.15, low: minute, high: 0.5 * hour, most: 30 * time.Minute, draw: oneOf("ec2", "autoscaling", "route53"), happen: trouble(replicate), needs: []Kind{Terminate}},
		ShortPages:     {name: "short pages", ids: "A4", at: onGroup, does: "pages have one or two items, and those after the first may fail or expire", often: 0.1, low: minute, high: 0.5 * hour, most: 20 * time.Minute, draw: drawPages, happen: trouble(shortPages), needs: []Kind{Terminate}},
		NewOdd:         {name: "newcomers hidden", ids: "A3, A11", at: onGroup, does: "new instances are not listed, or have no tags, at first", often: 0.15, low: minute, high: 0.5 * hour, most: 20 * time.Minute, draw: oneOf("unlisted", "ungrouped", "unlisted, ungrouped", "no group tag", "no address"), happen: trouble(disguiseNew), needs: []Kind{Terminate}},
		Shuffled:       {name: "lists shuffled", ids: "A10", at: onGroup, does: "lists come in another order for each caller", often: 0.1, low: minute, high: 0.5 * hour, most: 30 * time.Minute, happen: trouble(shuffle)},
		SlowMetadata:   {name: "metadata slow at boot", ids: "A8", at: onGroup, does: "the metadata service of a new instance is silent for up to a minute", often: 0.1, low: minute, high: 0.5 * hour, most: 30 * time.Minute, draw: drawSeconds, happen: trouble(slowMetadata), needs: []Kind{Terminate}},
		ActionDenied:   {name: "action denied", ids: "A7", at: onGroup, does: "the role lacks the right for one action", often: 0.1, low: minute, high: 0.5 * hour, most: 20 * time.Minute, draw: oneOf("DescribeInstances", "DescribeAutoScalingGroups", "DescribeAutoScalingInstances", "ListResourceRecordSets", "ChangeResourceRecordSets", "PutObject"), happen: trouble(refuseAction)},

		// The hosted zone.
		DNSTamper:    {name: "dns tamper", ids: "D3, P8", at: onZone, does: "someone deletes a record of the cluster", often: 0.3, low: minute, high: 0.5 * hour, draw: drawRecord, happen: (*world).tamperDNS},
		DNSOverwrite: {name: "dns overwritten", ids: "D3, P8", at: onZone, does: "someone puts another address into the record of the cluster", often: 0.15, low: minute, high: 0.5 * hour, draw: drawAddressRecord, happen: (*world).overwriteDNS},
		ZoneBusy:     {name: "zone busy", ids: "D1", at: onZone, does: "Route53 refuses changes: PriorRequestNotComplete", often: 0.15, low: minute, high: 0.5 * hour, most: 15 * time.Minute, happen: trouble(holdZone)},
		ZoneSlow:     {name: "zone slow", ids: "D1", at: onZone, does: "Route53 is busy for up to a minute after each change", often: 0.1, low: minute, high: 0.5 * hour, most: 15 * time.Minute, draw: drawSeconds, happen: trouble(slowChanges)},
		ZoneLost:     {name: "zone missing", ids: "D5", at: onZone, does: "the hosted zone is not there for a while", often: 0.1, low: minute, high: 0.5 * hour, most: 15 * time.Minute, happen: (*world).loseZone},
		TwinZone:     {name: "second zone", ids: "D5", at: onZone, does: "a public zone of the same name appears", often: 0.05, low: minute, high: 0.5 * hour, happen: (*world).twinZone, needs: []Kind{Terminate}},
		SyncDelay:    {name: "zone out of sync", ids: "D4", at: onZone, does: "changes are accepted, and published up to an hour later", often: 0.1, low: minute, high: 0.5 * hour, most: 30 * time.Minute, draw: drawSeconds, happen: trouble(delaySync)},
	}
}
