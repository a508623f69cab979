// tasks KIND N: goroutines on one processor.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

func batch(n int, body func(i int)) {
	var all sync.WaitGroup
	all.Add(n)
	for i := 0; i < n; i++ {
		go func(i int) {
			body(i)
			all.Done()
		}(i)
	}
	all.Wait()
}

func nothing(int) {}

func main() {
	runtime.GOMAXPROCS(1)
	n, _ := strconv.Atoi(os.Args[2])
	switch os.Args[1] {
	case "scope":
		for i := 0; i < n/100; i++ {
			batch(100, nothing)
		}
	case "join":
		for i := 0; i < n; i++ {
			batch(1, nothing)
		}
	case "yield":
		batch(2, func(int) {
			for i := 0; i < n/2; i++ {
				runtime.Gosched()
			}
		})
	case "chan":
		there, back := make(chan int), make(chan int)
		go func() {
			for value := range there {
				back <- value
			}
		}()
		for i := 0; i < n; i++ {
			there <- i
			<-back
		}
	case "sleep":
		batch(n, func(i int) {
			time.Sleep(time.Millisecond + time.Duration(i%1000)*time.Microsecond)
		})
	case "park":
		gate := make(chan int)
		for i := 0; i < n; i++ {
			go func() { <-gate }()
		}
		runtime.Gosched()
		runtime.GC()
		fmt.Println("parked")
		fmt.Scanln()
	}
}
