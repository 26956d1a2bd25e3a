// Command etcd is the etcd 3.0.17 server, for the tests. It differs from the published one by what it is built with, and by one
// character; see the Makefile.
package main

import "github.com/coreos/etcd/etcdmain"

func main() { etcdmain.Main() }
