package effects

// VersionTag is the tag of the auto-scaling group that says which minor of etcd its instances are to run.
const VersionTag = "etcd-version"
