import puppeteer from 'puppeteer-core';
import crypto from 'node:crypto';
const base='http://localhost:8099';
const totp=()=>{const A='ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';let bits='';for(const c of 'JBSWY3DPEHPK3PXPABSAHDEMOABSAHDE')bits+=A.indexOf(c).toString(2).padStart(5,'0');const key=Buffer.from(bits.match(/.{8}/g).map(b=>parseInt(b,2)));const t=Buffer.alloc(8);t.writeBigUInt64BE(BigInt(Math.floor(Date.now()/30000)));const h=crypto.createHmac('sha1',key).update(t).digest();const o=h[19]&15;return String((h.readUInt32BE(o)&0x7fffffff)%1e6).padStart(6,'0')};
const [user,pages,w='1280',theme='light']=process.argv.slice(2);
const b=await puppeteer.launch({executablePath:'/usr/bin/chromium',args:['--no-sandbox','--disable-gpu','--disable-quic','--no-first-run','--disable-background-networking','--disable-component-update','--disable-sync']});
const p=await b.newPage();await p.setViewport({width:+w,height:900});
await p.emulateMediaFeatures([{name:'prefers-color-scheme',value:theme}]);
p.on('console',m=>{if(m.type()==='error')console.log('console',m.text())});
if(user!=='-'){
await p.goto(base+'/masuk');
await p.type('input[autocomplete=username]',user);await p.type('input[type=password]','absah-demo-2026');
await Promise.all([p.waitForNavigation(),p.keyboard.press('Enter')]);
if(p.url().includes('dua-langkah')){await p.type('input[autocomplete=one-time-code]',totp());await Promise.all([p.waitForNavigation(),p.keyboard.press('Enter')]);}
}
for(const x of pages.split(',')){const r=await p.goto(base+x,{waitUntil:'load'});const f='/tmp/w/shots/'+(x.replace(/\W+/g,'_')||'home')+'_'+w+theme+'.png';await p.screenshot({path:f,fullPage:true});console.log(x,r.status(),f)}
await b.close();
