package sim
import ("testing";"fmt";"os";"strconv";"time";"sync")
func TestZZ(t *testing.T){ from,_:=strconv.ParseUint(os.Getenv("FROM"),10,64); n,_:=strconv.ParseUint(os.Getenv("N"),10,64)
 var wg sync.WaitGroup
 for k:=uint64(0);k<2;k++ { wg.Go(func(){
 for s:=from+k;s<from+n;s+=2{ t0:=time.Now(); if r:=Run(Options{Seed:s});r.Violation!=nil{fmt.Println(s,r.Violation)} else if time.Duration(r.Plan.Quiet)>time.Hour{fmt.Println(s,"day",time.Since(t0), r.Events)} } }) }
 wg.Wait()
 for c:=call(1);c<calls;c++{fmt.Println(budgets[c].name,debugMax[c],debugRow[c])}}
