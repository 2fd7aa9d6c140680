# A stand-in for STS: answers in 50 ms that it does not know the key; with RATE, refuses more than so many a second.
import asyncio,sys,time
rate=float(sys.argv[2]) if len(sys.argv)>2 else 0
bucket=rate;at=time.monotonic();stat=dict(ok=0,busy=0)
def xml(code,msg): return f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>{code}</Code><Message>{msg}</Message></Error><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ErrorResponse>'.encode()
async def serve(r,w):
    global bucket,at
    try:
        while True:
            head=await r.readuntil(b'\r\n\r\n')
            n=[l for l in head.split(b'\r\n') if l.lower().startswith(b'content-length')]
            if n: await r.readexactly(int(n[0].split(b':')[1]))
            busy=False
            if rate:
                now=time.monotonic();bucket=min(rate,bucket+(now-at)*rate);at=now
                if bucket<1: busy=True
                else: bucket-=1
            await asyncio.sleep(0.05)
            stat['busy' if busy else 'ok']+=1
            body=xml('Throttling','Rate exceeded') if busy else xml('InvalidClientTokenId','The security token included in the request is invalid.')
            w.write(b'HTTP/1.1 %d X\r\nContent-Type: text/xml\r\nx-amzn-RequestId: 01234567-89ab-cdef-0123-456789abcdef\r\nDate: %s\r\nContent-Length: %d\r\n\r\n'%(400 if busy else 403,time.strftime('%a, %d %b %Y %H:%M:%S GMT',time.gmtime()).encode(),len(body))+body)
            await w.drain()
    except Exception: pass
    finally: w.close()
async def main():
    s=await asyncio.start_server(serve,'127.0.0.1',int(sys.argv[1]))
    async with s: await s.serve_forever()
asyncio.run(main())
