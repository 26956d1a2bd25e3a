// Command etcd is the etcd 2.3.8 server, for the tests. It differs from the published one by what it is built with, and by one
// character; see the Makefile.
package main

import "github.com/coreos/etcd/etcdmain"

func main() { etcdmain.Main() }
