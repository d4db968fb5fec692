// Package guarantee has the guarantees of the library, with their numbers in docs/laws.md. Cases and mutations state
// which guarantees they test.
package guarantee

// Set is one guarantee, or several: ExplicitAccess | TwoControls.
type Set uint32

// The guarantees in the order of their numbers, which begin at 1.
const (
	ExplicitAccess     Set = 1 << (iota + 1) // 1: nothing is reachable unless allowFrom allows it, on both sides
	ServerPerPeer                            // 2: one TLS server for each exported port and peer, with that peer's CA and identity only
	TwoControls                              // 3: two independent controls deny every request that is not allowed
	EgressCallers                            // 4: the egress gateway verifies its callers in the handshake, and again by rules
	TLSOnEveryHop                            // 5: every hop is TLS, and every client verifies the server
	NoPrivateKeys                            // 6: no private key in a program, its input, its output or the repository
	NothingInternal                          // 7: nothing internal crosses that the mesh itself adds or forwards
	DeclaredNames                            // 8: names come from declared values, and two declarations never share one
	Reproducible                             // 9: the same program generates the same bytes, and applying them again changes nothing
	IndependentMeshes                        // 10: meshes do not depend on each other's constructs
	ErrorsNotGuesses                         // 11: what cannot be expressed exactly is an error
	WorkloadsUntouched                       // 12: existing workloads are only changed by explicit options
	ValidObjects                             // 13: every object is accepted by the API server, istiod and istioctl analyze
	OneIstioFolder                           // 14: only one folder of the library depends on Istio's API
	CompleteRemoval                          // 15: removing a line of the program removes every object that it generated
	ProtectionFirst                          // 16: protection comes before openness in the order of the file
	TenantsKeptOut                           // 17: no other tenant of the mesh can add or block listeners of the boundary
)

// Last is the highest number.
const Last = 17

// Numbers are those of docs/laws.md, in their order.
func (s Set) Numbers() []int {
	var numbers []int
	for number := 1; number <= Last; number++ {
		if s&(1<<number) != 0 {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// Valid reports whether the set has at least one guarantee, and only guarantees that exist.
func (s Set) Valid() bool { return s != 0 && s&^(1<<(Last+1)-2) == 0 }
