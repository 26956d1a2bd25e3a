// Command etcdctl is the unmodified etcdctl 3.7.3, for the demo, the tests and the image.
package main

import "go.etcd.io/etcd/etcdctl/v3/ctlv3"

func main() { ctlv3.MustStart() }
