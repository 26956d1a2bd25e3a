package explore

import (
	"fmt"
	"strings"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// clusterName is the cluster's; tokens are made of it and of the instance that claims.
const clusterName = "main"

// Names of the instances and their addresses: i-1 at 10.0.0.1.
var (
	ids       [maxNodes]string
	addresses [maxNodes]string
	urls      [maxNodes]string
)

var minors = [...]states.MinorVersion{{}, {Major: 3, Minor: 6}, {Major: 3, Minor: 7}}

// versions are those of the servers: patches that etcd permits an upgrade from.
var versions = [...]states.Version{{}, {Major: 3, Minor: 6, Patch: 16}, {Major: 3, Minor: 7, Patch: 3}}

func init() {
	for i := range maxNodes {
		ids[i] = fmt.Sprintf("i-%d", i+1)
		addresses[i] = fmt.Sprintf("10.0.0.%d", i+1)
		urls[i] = "http://" + addresses[i] + ":2379"
	}
}

func slotOf(address string) uint8 { return address[len(address)-1] - '1' }

func claimSet(members []states.ClaimMember) (set uint8) {
	for _, m := range members {
		set |= 1 << slotOf(m.Address)
	}
	return set
}

func claimMembers(set uint8) []states.ClaimMember {
	var list []states.ClaimMember
	for i := range maxNodes {
		if set>>i&1 == 1 {
			list = append(list, states.ClaimMember{ID: ids[i], Address: addresses[i]})
		}
	}
	return list
}

// token of a bootstrap as states.newClaim makes it, at the one time that there is.
func tokenName(number uint8) string {
	if number == 0 {
		return clusterName
	}
	return fmt.Sprintf("%s-%s-%d", clusterName, ids[number-1], now.Unix())
}

func tokenNumber(token string) uint8 {
	for i := range ids {
		if strings.HasPrefix(token, clusterName+"-"+ids[i]+"-") {
			return uint8(i + 1)
		}
	}
	return 0
}

func minorNumber(m states.MinorVersion) uint8 {
	for i := range minors {
		if minors[i] == m {
			return uint8(i)
		}
	}
	panic("explore does not know etcd " + m.String())
}
