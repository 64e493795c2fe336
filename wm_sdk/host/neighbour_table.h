/*
 * The AT commands beside the library's own: NEIGHBOUR(command, handler, usage, truth, does), in the order of the page
 * docs/board-commands.md, which is made of this table. A command is
 *     real      where what it answers is so, and what it sets happens;
 *     polite    where it takes, keeps and shows its values, and nothing comes of them: the board has nothing to do them
 * to; board's   where only the virtual board has it.
 */
NEIGHBOUR("AT", at, NULL, "real", "OK")
NEIGHBOUR("ATE0", at_echo_off, NULL, "real", "the echo ends")
NEIGHBOUR("ATE1", at_echo_on, NULL, "real", "lines are echoed")
NEIGHBOUR("AT+GMR", at_version, NULL, "polite", "versions that are none")
NEIGHBOUR("AT+RST", at_restart, NULL, "real", "OK, then a restart; `ready` ends it")
NEIGHBOUR("AT+RESTORE", at_restore, NULL, "real",
          "empties the whole storage, the library's certificates included; OK, then a restart")
NEIGHBOUR("AT+SYSSTORE", at_store, "AT+SYSSTORE=<mode>", "real", "0: what is set from now on is forgotten at a restart")
NEIGHBOUR("AT+SYSRAM", at_ram, NULL, "real", "bytes of the heap that are free, and the fewest there ever were")
NEIGHBOUR("AT+UART_DEF", at_uart, "AT+UART_DEF=<baud>,<data bits>,<stop bits>,<parity>,<flow control>", "real",
          "the pace of the port behind the OK, kept over restarts; only 8 data bits, the rest is taken and shown")
NEIGHBOUR("AT+CWINIT", at_wifi_init, "AT+CWINIT=<init>", "real", "0 leaves the network, and until 1 none can be joined")
NEIGHBOUR("AT+CWMODE", at_wifi_mode, "AT+CWMODE=<mode>[,<auto_connect>]", "real",
          "a mode without a station leaves the network, back in one it is joined again; it never is an access point")
NEIGHBOUR("AT+CWSTATE", at_wifi_state, NULL, "real", "0 never joined, 1 without an address, 2 with one, 4 left")
NEIGHBOUR("AT+CWJAP", at_wifi_join, "AT+CWJAP=<ssid>,<pwd>", "real",
          "joins the virtual network under any name, with any password: `WIFI CONNECTED`, OK, `WIFI GOT IP`")
NEIGHBOUR("AT+CWQAP", at_wifi_leave, NULL, "real", "leaves it, and with it every connection")
NEIGHBOUR("AT+CWLAP", at_wifi_scan, "AT+CWLAP[=<ssid>[,<mac>[,<channel>]]]", "polite",
          "one access point, always the same")
NEIGHBOUR("AT+CWLAPOPT", at_wifi_scan_options, "AT+CWLAPOPT=<print mask>[,<rssi filter>[,<authmode mask>]]", "real",
          "what AT+CWLAP shows")
NEIGHBOUR("AT+CWAUTOCONN", at_wifi_auto, "AT+CWAUTOCONN=<enable>", "real", "0: not joined at the next boot")
NEIGHBOUR("AT+CWRECONNCFG", at_wifi_reconnect, "AT+CWRECONNCFG=<interval_second>,<repeat_count>", "polite",
          "no access point ever leaves the board")
NEIGHBOUR("AT+CWDHCP", at_wifi_dhcp, "AT+CWDHCP=<operate>,<mode>", "real", "without it the addresses of AT+CIPSTA")
NEIGHBOUR("AT+CWHOSTNAME", at_wifi_hostname, "AT+CWHOSTNAME=<hostname>", "real", "in DHCP's questions")
NEIGHBOUR("AT+CWCOUNTRY", at_wifi_country, "AT+CWCOUNTRY=<country_code>,<start_channel>,<total_channel_count>",
          "polite", "the virtual network has no channels")
NEIGHBOUR("AT+CIPSTA", at_addresses, "AT+CIPSTA=<ip>[,<gateway>,<netmask>]", "real",
          "the board's addresses; the network knows 10.0.2.0/24 alone")
NEIGHBOUR("AT+CIPSTAMAC", at_mac, "AT+CIPSTAMAC=<mac>", "real", "the sender of its frames")
NEIGHBOUR("AT+CIFSR", at_interface, NULL, "real", "address, where there is one, and MAC")
NEIGHBOUR("AT+CIPDNS", at_dns, "AT+CIPDNS=<enable>[,<DNS IP1>[,<DNS IP2>]]", "real",
          "asked in the place of DHCP's; of 10.0.2.0/24 only 10.0.2.3 answers, of all others each")
NEIGHBOUR("AT+CIPDOMAIN", at_domain, "AT+CIPDOMAIN=<domain name>[,<ip network>]", "real",
          "IPv4 by the names of `--hosts`; ERROR where there is none")
NEIGHBOUR("AT+PING", at_ping, "AT+PING=<host>", "real",
          "an echo request; 10.0.2.2 answers, on an open network others may")
NEIGHBOUR("AT+CIPMUX", at_mux, "AT+CIPMUX=<mode>", "polite", "the server's own sockets are not here")
NEIGHBOUR("AT+CIPMODE", at_transmission, "AT+CIPMODE=<mode>", "polite", "as above")
NEIGHBOUR("AT+CIPDINFO", at_peer_shown, "AT+CIPDINFO=<mode>", "polite", "as above")
NEIGHBOUR("AT+CIPSTATE", at_sockets, NULL, "polite", "as above: no row, OK; the library's links are not among them")
NEIGHBOUR("AT+CIPSNTPCFG", at_sntp, "AT+CIPSNTPCFG=<enable>,<timezone>[,<SNTP server1>,...]", "real",
          "the virtual time server answers by whatever names are given; zones as hours or hhmm, negative ones too")
NEIGHBOUR("AT+CIPSNTPINTV", at_sntp_interval, "AT+CIPSNTPINTV=<interval second>", "real", "how often it is asked")
NEIGHBOUR("AT+CIPSNTPTIME", at_sntp_time, NULL, "real", "1970 until the time has come")
NEIGHBOUR("AT+SYSHEAP", at_heap, NULL, "board's",
          "bytes free, the fewest ever, blocks; `=<free>` takes all but so many")
NEIGHBOUR("AT+SYSHEAPBY", at_heap_by, NULL, "board's",
          "bytes in use and their peak, for Mbed TLS and for the rest; `=0`")
NEIGHBOUR("AT+SYSHEAPFAIL", at_heap_fail, NULL, "board's",
          "`=<n>[,<count>]`: the n-th allocation from now fails; what was asked for and failed since")
NEIGHBOUR("AT+SYSCPU", at_cpu, NULL, "board's", "what each task has executed on the simulated core; `=0`")
NEIGHBOUR("AT+SYSSTAT", at_statistics, NULL, "board's", "the library's statistics of each link")
NEIGHBOUR("AT+SYSTASKS", at_tasks, NULL, "board's", "tasks and their priorities")
NEIGHBOUR("AT+SIMNET", at_faults, "AT+SIMNET=<name>,<value>[,<value>]", "board's", "makes the network a bad one")
