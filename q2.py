from an import *
B='/tmp/exp/studies/algorithms/switcher/'
run=lambda s: sorted(glob.glob(B+f'seed-{s}/run-*'))[0]
rng=np.random.default_rng(0)
d,X=rows(run(2)); G,S,ok=mc(d,.97); act=(d['flags']&1)>0
same=np.zeros(len(ok),bool); same[1:]=(d['ep'][1:]==d['ep'][:-1])&(d['inc'][1:]==d['inc'][:-1])&(d['step'][1:]==d['step'][:-1]+1)
m=(d['z']==0)&ok
after=m.copy(); after[1:]&=same[1:]&act[:-1]&(d['da'][:-1]!=d['qa'][:-1]); after[0]=False
print('first rows after the last, changing call:',after.sum(),'success',S[after].mean())
W=weights(run(1))
V=net(W,X[after],.03,0,d['left'][after]); q=V[:,0]-.5*V[:,1]; g=G[after]
print('TD V(s,0) of net 1 on seed 2: AUC',auc(q,S[after]),'R2',1-((q-g)**2).mean()/g.var(),'n',after.sum())
# supervised
Xs,ys,Ls,gs=[],[],[],[]
Xc,yc,Lc,gc=[],[],[],[]
for s in (1,3,4,5)[:int(sys.argv[1])]:
    e,Y=rows(run(s)); g1,s1,k1=mc(e,.97); a=(e['flags']&1)>0
    n=len(a); ch=a&(e['da']!=e['qa'])
    # QUICK-only suffix that is forced: z==0
    t=(e['z']==0)&k1
    Xs.append(Y[t].astype(np.float32));ys.append(s1[t]);Ls.append(e['left'][t]);gs.append(g1[t])
Xs=np.concatenate(Xs);ys=np.concatenate(ys).astype(np.float32);Ls=np.concatenate(Ls);gs=np.concatenate(gs).astype(np.float32)
print('train rows',len(ys))
def inp(X,L): return np.concatenate([X.astype(np.float32),(L/128.)[:,None].astype(np.float32)],1)
def train(A,y,w=128,steps=3000,bs=512,lr=1e-3,wd=1e-2):
    n=A.shape[1]; mu=A.mean(0);sd=A.std(0)+.1
    P=[rng.standard_normal((n,w)).astype(np.float32)/np.sqrt(n),np.zeros(w,np.float32),rng.standard_normal((w,w)).astype(np.float32)/np.sqrt(w),np.zeros(w,np.float32),np.zeros((w,1),np.float32),np.zeros(1,np.float32)]
    M=[np.zeros_like(p) for p in P];Q=[np.zeros_like(p) for p in P]
    for t in range(1,steps+1):
        i=rng.integers(0,len(y),bs); x=(A[i]-mu)/sd; yy=y[i]
        h1=np.maximum(x@P[0]+P[1],0);h2=np.maximum(h1@P[2]+P[3],0);p=1/(1+np.exp(-(h2@P[4]+P[5])[:,0]))
        go=((p-yy)/bs)[:,None].astype(np.float32)
        g2=(go@P[4].T)*(h2>0);g1=(g2@P[2].T)*(h1>0)
        Gd=[x.T@g1,g1.sum(0),h1.T@g2,g2.sum(0),h2.T@go,go.sum(0)]
        l=lr*(1-t/steps)+1e-5
        for k in range(6):
            M[k]=.9*M[k]+.1*Gd[k];Q[k]=.999*Q[k]+.001*Gd[k]**2
            P[k]-=l*((M[k]/(1-.9**t))/(np.sqrt(Q[k]/(1-.999**t))+1e-8)+wd*P[k]*(k%2==0))
    def f(A):
        x=(A-mu)/sd;h1=np.maximum(x@P[0]+P[1],0);h2=np.maximum(h1@P[2]+P[3],0);return (h2@P[4]+P[5])[:,0]
    return f
At=inp(X[after],d['left'][after]); Am=inp(X[m],d['left'][m])
A=inp(Xs,Ls)
f=train(A,ys); print('supervised success: AUC after call',auc(f(At),S[after]),' all z=0',auc(f(Am),S[m]))
f=train(A,gs); p=1/(1+np.exp(-f(At))); pm=1/(1+np.exp(-f(Am)))
print('supervised return (disc.): AUC',auc(p,S[after]),'R2',1-((p-g)**2).mean()/g.var(),' all: R2',1-((pm-G[m])**2).mean()/G[m].var(),'AUC',auc(pm,S[m]))
